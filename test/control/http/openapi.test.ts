import { Validator } from "@seriousme/openapi-schema-validator";
import { describe, expect, it } from "vitest";
import { openApiDocument } from "../../../src/control/http/openapi.ts";
import { OPERATION_NAMES } from "../../../src/control/operations/table.ts";
import { mustBeDocumented } from "../operations/support/reply-check.ts";

/** All values under this key, wherever they are. */
function valuesOf(value: unknown, key: string): unknown[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value as Record<string, unknown>).flatMap(([name, inner]) => [
    ...(name === key ? [inner] : []),
    ...valuesOf(inner, key),
  ]);
}

function lookUp(document: unknown, pointer: string): unknown {
  return pointer
    .split("/")
    .slice(1)
    .reduce((value, step) => (value as Record<string, unknown> | undefined)?.[step], document);
}

describe("the OpenAPI document", () => {
  it("is one, by the schema of OpenAPI 3.1", async () => {
    const validator = new Validator();
    const result = await validator.validate(openApiDocument() as Record<string, unknown>);
    expect(result).toEqual({ valid: true });
    expect(validator.version).toBe("3.1");
    const broken = { ...openApiDocument(), paths: { "/x": { get: { responses: 7 } } } };
    expect(await new Validator().validate(broken)).toMatchObject({ valid: false });
  });

  it("has every operation, each with an id of its own", () => {
    const document = openApiDocument();
    const paths = Object.keys(document["paths"] as object);
    expect(paths).toEqual(expect.arrayContaining(OPERATION_NAMES.map((name) => `/v1/${name}`)));
    const ids = valuesOf(document["paths"], "operationId");
    expect(new Set(ids).size).toBe(ids.length);
  });

  it("refers to nothing that is not in it", () => {
    const document = openApiDocument();
    const references = valuesOf(document, "$ref") as string[];
    expect(references.length).toBeGreaterThan(20);
    for (const reference of references) {
      expect(lookUp(document, reference.replace(/^#/, "")), reference).toBeDefined();
    }
  });

  it("is what replies are held to", () => {
    const type = "application/json";
    expect(() => mustBeDocumented("/v1/volume/delete", 200, type, {})).not.toThrow();
    expect(() => mustBeDocumented("/v1/volume/delete", 200, type, { a: 1 })).toThrow("additional");
    expect(() => mustBeDocumented("/v1/pool/list", 200, type, [{ name: "tank" }])).toThrow("uuid");
    const problem = { type: "about:blank", title: "x", status: 400, detail: "x", kind: "strange" };
    expect(() =>
      mustBeDocumented("/v1/pool/list", 400, "application/problem+json", problem),
    ).toThrow("kind");
  });
});
