import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, it } from "vitest";
import {
  isOperationName,
  OPERATION_NAMES,
  OPERATIONS,
  perform,
} from "../../../src/control/operations/table.ts";
import { ROLES } from "../../../src/control/protocol.ts";
import { OperationBench } from "./support/operation-bench.ts";

describe("the table of operations", () => {
  it("has for each a summary, a role and schemas", () => {
    const validator = new Ajv2020({ strict: true });
    validator.addFormat("binary", true);
    for (const name of OPERATION_NAMES) {
      const operation = OPERATIONS[name];
      expect(name).toMatch(/^[a-z]+\/[a-z]+(-[a-z]+)*$/);
      expect(operation.summary).toMatch(/^[A-Z].*[^.]$/);
      expect(ROLES).toContain(operation.role);
      for (const schema of [operation.arguments, operation.reply]) {
        expect(() => validator.compile(schema), name).not.toThrow();
      }
      expect(operation.arguments, name).toMatchObject({ additionalProperties: false });
      // Whoever may look at things by GET changes nothing.
      if (operation.isReading === true) expect(operation.takesPayload).toBeUndefined();
    }
  });

  it("knows its names from others", () => {
    expect(isOperationName("volume/create")).toBe(true);
    expect(["volume/explode", "toString", "__proto__", ""].filter(isOperationName)).toEqual([]);
  });

  it("checks a request before it does it", async () => {
    const bench = await OperationBench.make();
    const request = {
      context: bench.context,
      payload: new Uint8Array(0),
      progress: () => undefined,
    };
    try {
      await expect(
        perform("volume/create", { ...request, body: { pool: "tank", volume: "a" } }),
      ).rejects.toMatchObject({ kind: "invalid", message: expect.stringContaining("sizeBytes") });
      expect(await perform("volume/list", { ...request, body: {} })).toEqual([]);
    } finally {
      await bench.dispose();
    }
  });
});
