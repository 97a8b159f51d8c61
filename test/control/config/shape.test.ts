import { LineCounter, parseDocument } from "yaml";
import { describe, expect, it } from "vitest";
import { Report } from "../../../src/control/config/report.ts";
import * as shapes from "../../../src/control/config/shape.ts";

function read<T>(shape: shapes.Shape<T>, text: string): { value: T | undefined; said: string[] } {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const readSecretFile = () => ({ text: "", exposed: false });
  const report = new Report({ document, lines, folder: "/", readSecretFile });
  const value = shape(document.contents, "", report);
  return { value, said: report.problems.map(({ message }) => message) };
}

interface Pair {
  readonly a: number;
  readonly b: boolean | null;
}

const pair = shapes.object<Pair>({
  a: shapes.required(shapes.integer(1, 9)),
  b: shapes.optional(shapes.flag, null),
});

describe("object", () => {
  it("reads keys and fills in what is optional", () => {
    expect(read(pair, "{ a: 1 }").value).toEqual({ a: 1, b: null });
    expect(read(pair, "{ a: 9, b: false }").value).toEqual({ a: 9, b: false });
  });

  it("gives nothing where anything is wrong, and says all of it", () => {
    const { value, said } = read(pair, "{ a: 10, c: 1, b: 7 }");
    expect(value).toBeUndefined();
    expect(said).toHaveLength(3);
  });

  it("gives what is right where a part is asked for", () => {
    const partial = shapes.partialObject<Pair>({
      a: shapes.required(shapes.integer(1, 9)),
      b: shapes.optional(shapes.flag, null),
    });
    expect(read(partial, "{ a: 10, b: true }").value).toEqual({ b: true });
  });
});

describe("listOf", () => {
  const list = shapes.listOf(shapes.integer(1, 9), 3);

  it("keeps the good entries and names the place of the bad, counted from 1", () => {
    const { value, said } = read(list, "[1, x, 3]");
    expect(value).toEqual([1, 3]);
    expect(said).toEqual([expect.stringContaining(".2: must be a whole number")]);
  });

  it("has a limit, and may have to have something in it", () => {
    expect(read(list, "[1, 2, 3, 4]").said).toEqual(["has 4 entries; at most 3 are allowed"]);
    expect(read(list, "[]").value).toEqual([]);
    expect(read(shapes.listOf(shapes.flag, 3, "say one"), "[]").said).toEqual([
      "is empty; say one",
    ]);
  });
});

describe("named and chosenBy", () => {
  const kinds = shapes.chosenBy<object>("kind", {
    x: shapes.object({ kind: shapes.required(shapes.text), a: shapes.required(shapes.flag) }),
    y: shapes.object({ kind: shapes.required(shapes.text) }),
  });

  it("read a map of things of several kinds", () => {
    const { value, said } = read(
      shapes.named(shapes.text, kinds),
      "{ one: { kind: x, a: true }, two: { kind: y }, three: { kind: z }, four: 4 }",
    );
    expect([...(value ?? new Map<string, object>()).keys()]).toEqual(["one", "two"]);
    expect(said).toEqual([
      'three.kind: must be one of x, y, not "z"; did you mean "x"?',
      'four: must be a map with the key "kind", not 4',
    ]);
  });

  it("refuse what is no map", () => {
    expect(read(shapes.named(shapes.text, kinds), "[]").said).toEqual([
      "must be a map from names to settings, not a list",
    ]);
  });
});

describe("scalars", () => {
  it.each([
    [shapes.text, "7", "must be a text, not 7; put it in quotes"],
    [shapes.text, "[]", "must be a text, not a list"],
    [shapes.flag, "yes", 'must be true or false, not the text "yes"'],
    [shapes.integer(0, 5), "6", "must be a whole number from 0 to 5, not 6"],
    [shapes.integer(0, 5), "1.5", "must be a whole number from 0 to 5, not 1.5"],
    [shapes.integer(0, 5), ".nan", "must be a whole number from 0 to 5, not NaN"],
    [
      shapes.choiceOf(["all", "off"]),
      "of",
      'must be one of all, off, not "of"; did you mean "off"?',
    ],
    [shapes.textThat(() => "no good"), "x", "no good"],
  ] as const)("complain: %#", (shape, text, complaint) => {
    expect(read<unknown>(shape, text).said).toEqual([complaint]);
  });

  it("keep numbers as they were written where a text is meant", () => {
    expect(read(shapes.textOrNumber, "0042").value).toBe("0042");
    expect(read(shapes.textOrNumber, "1.50").value).toBe("1.50");
  });
});
