import { describe, expect, it } from "vitest";
import { checkArguments } from "../../../src/control/operations/arguments.ts";
import { OperationError } from "../../../src/control/protocol.ts";
import {
  choice,
  dictionary,
  flag,
  list,
  natural,
  NOTHING,
  number,
  optional,
  orNull,
  record,
  type Schema,
  text,
} from "../../../src/control/schemas/schema.ts";

interface Copy {
  readonly name: string;
}

interface Everything {
  readonly pool: string;
  readonly sizeBytes?: number;
  readonly cells?: number;
  readonly share?: number;
  readonly shrink?: boolean;
  readonly kind?: "a" | "b";
  readonly names?: readonly string[];
  readonly copies?: readonly Copy[];
  readonly owner?: string | null;
  readonly copy?: Copy | null;
  readonly code?: string;
  readonly labels?: Readonly<Record<string, string>>;
}

const EVERYTHING: Schema<Everything> = record<Everything>({
  pool: text("a pool", 8),
  sizeBytes: optional(natural("a size")),
  cells: optional(natural("pieces", { minimum: 1, maximum: 9 })),
  share: optional(number("a share", { minimum: 0 })),
  shrink: optional(flag("may shrink")),
  kind: optional(choice("which", ["a", "b"])),
  names: optional(list("names", text("a name"), { maxItems: 2 })),
  copies: optional(list("copies", record<Copy>({ name: text("a name") }), { minItems: 1 })),
  owner: optional(orNull(text("who"))),
  copy: optional(orNull(record<Copy>({ name: text("a name") }))),
  code: optional({ ...text("two digits"), pattern: "^\\d\\d$" }),
  labels: optional(dictionary("labels", text("a label"))),
});

function refused(value: unknown, schema: Schema<never> = EVERYTHING as never): string {
  try {
    checkArguments(schema, value);
  } catch (error) {
    if (error instanceof OperationError && error.kind === "invalid") return error.message;
    throw error;
  }
  throw new Error("it was not refused");
}

describe("the arguments of an operation", () => {
  it("are what their schema says", () => {
    const all = {
      pool: "tank",
      sizeBytes: 2 ** 53 - 1,
      cells: 9,
      share: 0.5,
      shrink: true,
      kind: "b",
      names: ["x", "y"],
      copies: [{ name: "a" }],
      owner: null,
      code: "42",
      labels: { any: "x" },
    };
    expect(checkArguments(EVERYTHING, all)).toBe(all);
    expect(checkArguments(EVERYTHING, { pool: "tank" })).toEqual({ pool: "tank" });
    expect(checkArguments(NOTHING, {})).toEqual({});
  });

  it.each([
    [null, "the arguments must be an object, not null"],
    [[1], "the arguments must be an object, not a list"],
    [undefined, "the arguments must be an object, not nothing"],
    [{}, "pool must be a text of 1 to 8 characters, and is not given"],
    [{ pool: "" }, 'pool must be a text of 1 to 8 characters, not ""'],
    [{ pool: 7 }, "pool must be a text of 1 to 8 characters, not 7"],
    [{ pool: "x".repeat(9) }, 'pool must be a text of 1 to 8 characters, not "xxxxxxxxx"'],
    [
      { pool: "a", sizeBytes: "12" },
      'sizeBytes must be a whole number of bytes from 0 on, not "12"',
    ],
    [{ pool: "a", sizeBytes: 1.5 }, "sizeBytes must be a whole number of bytes from 0 on, not 1.5"],
    [
      { pool: "a", sizeBytes: 2 ** 53 },
      "sizeBytes must be a whole number of bytes from 0 on, not 9007199254740992",
    ],
    [{ pool: "a", sizeBytes: -1 }, "sizeBytes must be a whole number of bytes from 0 on, not -1"],
    [{ pool: "a", cells: 10 }, "cells must be a whole number from 1 to 9, not 10"],
    [{ pool: "a", share: -0.1 }, "share must be a number from 0 on, not -0.1"],
    [{ pool: "a", share: null }, "share must be a number from 0 on, not null"],
    [{ pool: "a", shrink: "yes" }, 'shrink must be true or false, not "yes"'],
    [{ pool: "a", kind: "c" }, 'kind must be one of a, b, not "c"'],
    [{ pool: "a", names: "x" }, 'names must be a list of up to 2, not "x"'],
    [{ pool: "a", names: ["x", "y", "z"] }, "names must be a list of up to 2, not a list"],
    [{ pool: "a", names: ["x", 1] }, "names[1] must be a text of 1 to 4096 characters, not 1"],
    [{ pool: "a", copies: [] }, "copies must be a list of at least 1, not an empty list"],
    [
      { pool: "a", copies: [{ name: "a" }, { name: {} }] },
      "copies[1].name must be a text of 1 to 4096 characters, not an object",
    ],
    [{ pool: "a", copies: [{ nam: "a" }] }, 'copies[0]."nam" is no argument; there are name'],
    [{ pool: "a", owner: 1 }, "owner must be a text of 1 to 4096 characters or null, not 1"],
    [{ pool: "a", owner: "" }, 'owner must be a text of 1 to 4096 characters, not ""'],
    [{ pool: "a", copy: 5 }, "copy must be an object or null, not 5"],
    [{ pool: "a", copy: { name: "a", nam: 1 } }, 'copy."nam" is no argument; there are name'],
    [{ pool: "a", copy: { name: 1 } }, "copy.name must be a text of 1 to 4096 characters, not 1"],
    [{ pool: "a", code: "x" }, 'code must be two digits, not "x"'],
    [{ pool: "a", labels: { x: 1 } }, "labels.x must be a text of 1 to 4096 characters, not 1"],
  ] as const)("are refused where they are %j", (value, message) => {
    expect(refused(value)).toBe(message);
  });

  it("are refused by name where they are unknown, before what is missing because of it", () => {
    expect(refused({ pol: "tank" })).toMatch(/^"pol" is no argument; there are pool, sizeBytes, /);
    expect(refused({ a: 1 }, NOTHING as never)).toBe('"a" is no argument; there are none');
    const hidden: unknown = JSON.parse('{"pool":"a","__proto__":{"sizeBytes":1}}');
    expect(refused(hidden)).toMatch(/^"__proto__" is no argument/);
    expect(refused({ pool: "a", ["k".repeat(999)]: 1 })).toMatch(/^"k{63}\.\.\. is no argument/);
  });

  it("are shown in part where they are long, and not at all where they are deep", () => {
    expect(refused({ pool: "\u{1f4be}".repeat(999) }).length).toBeLessThan(200);
    const deep: unknown = JSON.parse(`${"[".repeat(30_000)}${"]".repeat(30_000)}`);
    expect(refused({ pool: deep })).toMatch(/not a list$/);
    expect(refused(deep)).toMatch(/not a list$/);
  });
});
