import { describe, expect, it } from "vitest";
import { COMMANDS, findCommand, isKnownOperationCode } from "../../src/scsi/command-table.ts";
import { Sense } from "../../src/scsi/sense.ts";
import { bare } from "./support/bare-cdb.ts";
import { Bench } from "./support/bench.ts";
import { expectSense } from "./support/expect-sense.ts";

describe("the table", () => {
  it("finds commands by operation code and service action", () => {
    for (const command of COMMANDS) expect(findCommand(bare(command))).toBe(command);
    expect(findCommand(Uint8Array.from([0x9e, 0x1f]))).toBeNull();
    expect(findCommand(Uint8Array.from([0xff]))).toBeNull();
  });

  it("answers INVALID COMMAND OPERATION CODE for every other code", () => {
    const known = new Set(COMMANDS.map(({ operationCode }) => operationCode));
    const { unit } = new Bench();
    for (let operationCode = 0; operationCode < 256; operationCode++) {
      if (known.has(operationCode)) continue;
      expect(isKnownOperationCode(unit, operationCode)).toBe(false);
      const task = new Bench().run(Uint8Array.from([operationCode]));
      expectSense(task, Sense.invalidCommandOperationCode);
    }
  });
});
