import { describe, expect, it } from "vitest";
import { argumentsOfJson, argumentsOfQuery } from "../../../src/control/http/request-arguments.ts";

const SCHEMA = {
  properties: {
    pool: { type: "string" },
    sizeBytes: { type: "integer" },
    share: { type: "number" },
    shrink: { type: "boolean" },
    names: { type: "array" },
  },
};

describe("the arguments of a request", () => {
  it("come in the query as what the schema asks for", () => {
    const query = "pool=1&sizeBytes=4096&share=0.5&shrink=true&names=a&names=b";
    expect(argumentsOfQuery(new URLSearchParams(query), SCHEMA)).toEqual({
      pool: "1",
      sizeBytes: 4096,
      share: 0.5,
      shrink: true,
      names: ["a", "b"],
    });
  });

  it("stay texts where they are nothing else", () => {
    const query = "sizeBytes=1e3&share=Infinity&shrink=yes&other=5&constructor=1&__proto__=2";
    const values = argumentsOfQuery(new URLSearchParams(query), SCHEMA);
    expect(Object.entries(values)).toEqual([
      ["sizeBytes", "1e3"],
      ["share", "Infinity"],
      ["shrink", "yes"],
      ["other", "5"],
      ["constructor", "1"],
      ["__proto__", "2"],
    ]);
  });

  it("come once each", () => {
    expect(() => argumentsOfQuery(new URLSearchParams("pool=a&pool=b"), SCHEMA)).toThrow(
      '"pool" is given twice',
    );
  });

  it("come as JSON", () => {
    expect(argumentsOfJson(new Uint8Array(0))).toEqual({});
    expect(argumentsOfJson(Buffer.from('{"a":"\u{1f4be}"}'))).toEqual({ a: "\u{1f4be}" });
    expect(() => argumentsOfJson(Buffer.from("{"))).toThrow("the arguments are not JSON");
    expect(() => argumentsOfJson(Buffer.from([0x22, 0xff, 0x22]))).toThrow("are not UTF-8");
  });
});
