import { describe, expect, it } from "vitest";
import {
  flag,
  list,
  natural,
  NOTHING,
  optional,
  orNull,
  record,
  type Schema,
  text,
} from "../../../src/control/schemas/schema.ts";

interface Disk {
  readonly name: string;
  readonly sizeBytes?: number;
}

describe("schemas", () => {
  it("are JSON schemas", () => {
    const disk = record<Disk>(
      { name: text("a name"), sizeBytes: optional(natural("a size")) },
      "Disk",
    );
    expect(disk).toEqual({
      type: "object",
      title: "Disk",
      properties: {
        name: { type: "string", description: "a name", minLength: 1, maxLength: 4096 },
        sizeBytes: {
          type: "integer",
          description: "a size",
          minimum: 0,
          maximum: Number.MAX_SAFE_INTEGER,
        },
      },
      required: ["name"],
      additionalProperties: false,
    });
    expect(orNull(flag("it is on"))).toEqual({
      description: "it is on",
      anyOf: [{ type: "boolean" }, { type: "null" }],
    });
    expect(list("names", text("a name"), { maxItems: 2 })).toMatchObject({ maxItems: 2 });
    expect(NOTHING).toMatchObject({ properties: {}, additionalProperties: false });
  });

  it("say what their types say, or the compiler refuses them", () => {
    const name: Schema<string> = text("a name");
    // @ts-expect-error -- a field is missing
    record<Disk>({ name });
    // @ts-expect-error -- a field may be absent, and the schema does not say so
    record<Disk>({ name, sizeBytes: natural("a size") });
    // @ts-expect-error -- a field is of another type
    record<Disk>({ name: flag("a name"), sizeBytes: optional(natural("a size")) });
    // @ts-expect-error -- it may be null, and the type does not say so
    const never: Schema<string> = orNull(name);
    expect(never).not.toEqual(name);
  });
});
