import { describe, expect, it } from "vitest";
import { Arguments } from "../../../src/control/operations/arguments.ts";
import { OperationError } from "../../../src/control/protocol.ts";

function refused(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof OperationError && error.kind === "invalid") return error.message;
    throw error;
  }
  throw new Error("it was not refused");
}

describe("the arguments of an operation", () => {
  it("are read as what they are", () => {
    const body = { name: "a", flag: true, size: 5, share: 0.5, list: ["x"], numbers: [1, 2] };
    const given = new Arguments(body, Object.keys(body));
    expect(given.text("name")).toBe("a");
    expect(given.flag("flag")).toBe(true);
    expect(given.bytes("size")).toBe(5);
    expect(given.optionalNumber("share")).toBe(0.5);
    expect(given.texts("list")).toEqual(["x"]);
    expect(given.optionalNumbers("numbers")).toEqual([1, 2]);
  });

  it("are absent where they may be", () => {
    const given = new Arguments({}, ["a"]);
    expect(given.flag("a")).toBe(false);
    expect(given.texts("a")).toEqual([]);
    expect(given.objects("a", [])).toEqual([]);
    expect([given.optionalText("a"), given.optionalFlag("a"), given.optionalBytes("a")]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    expect([given.optionalNumber("a"), given.optionalNumbers("a")]).toEqual([undefined, undefined]);
  });

  it.each([null, 1, "text", [1], undefined])("must be an object, not %j", (body) => {
    expect(refused(() => new Arguments(body, []))).toContain("must be an object");
  });

  it("are refused by name where they are unknown", () => {
    const message = refused(() => new Arguments({ shrinck: true }, ["shrink"]));
    expect(message).toBe('"shrinck" is no argument; there are shrink');
  });

  it.each([
    ["text", ""],
    ["text", 7],
    ["flag", "yes"],
    ["bytes", -1],
    ["bytes", 1.5],
    ["bytes", 2 ** 53],
    ["bytes", "5"],
    ["optionalNumber", -0.1],
    ["optionalNumber", null],
    ["texts", "x"],
    ["texts", [1]],
    ["texts", Array.from({ length: 257 }, () => "x")],
    ["optionalNumbers", ["1"]],
  ] as const)("are refused by %s where they are %j", (kind, value) => {
    const given = new Arguments({ key: value }, ["key"]);
    expect(refused(() => given[kind]("key"))).toContain("key must be");
  });

  it("name the place within a list", () => {
    const given = new Arguments({ copies: [{ name: "a" }, { name: 1 }] }, ["copies"]);
    const copies = given.objects("copies", ["name"]);
    expect(copies[0]?.text("name")).toBe("a");
    expect(refused(() => copies[1]?.text("name"))).toBe("copies[1].name must be a text");
    const wrong = new Arguments({ copies: [{ nam: 1 }] }, ["copies"]);
    expect(refused(() => wrong.objects("copies", ["name"]))).toContain('copies[0]."nam"');
  });
});
