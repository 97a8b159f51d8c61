import { describe, expect, it } from "vitest";
import { assembleModule, signedLeb, unsignedLeb, wasm } from "../../native-free/wasm-assembler.ts";
import { webAssembly } from "../../native-free/webassembly.ts";

describe("LEB128", () => {
  it.each([
    [0, [0]],
    [127, [0x7f]],
    [128, [0x80, 0x01]],
    [624_485, [0xe5, 0x8e, 0x26]],
  ])("writes %d without a sign", (value, bytes) => {
    expect(unsignedLeb(value)).toEqual(bytes);
  });

  it.each([
    [0, [0]],
    [63, [0x3f]],
    [64, [0xc0, 0x00]],
    [-1, [0x7f]],
    [-64, [0x40]],
    [-123_456, [0xc0, 0xbb, 0x78]],
    [0x3fc, [0xfc, 0x07]],
  ])("writes %d with a sign", (value, bytes) => {
    expect(signedLeb(value)).toEqual(bytes);
  });
});

describe("a module", () => {
  function start(body: readonly (readonly number[])[]): (a: number, b: number) => number {
    if (webAssembly === undefined) throw new Error("this runtime has no WebAssembly");
    const bytes = assembleModule(1, [{ exportName: "f", parameterCount: 2, localCount: 1, body }]);
    const { exports } = new webAssembly.Instance(new webAssembly.Module(bytes));
    return exports["f"] as (a: number, b: number) => number;
  }

  it("computes", () => {
    const masked = [wasm.localGet(0), wasm.const32(0xff), wasm.and];
    const f = start([...masked, wasm.localGet(1), wasm.const32(4), wasm.shiftLeft, wasm.xor]);
    expect(f(0x1234, 0x10)).toBe(0x34 ^ 0x100);
  });

  it("loops while its condition holds", () => {
    // Multiplies by adding: the local 2 counts up to the second parameter, and the first is added to itself before.
    const f = start([
      wasm.loopWhile(
        [...wasm.localGet(2), ...wasm.localGet(0), ...wasm.add, ...wasm.localTee(2)],
        wasm.localGet(1),
        wasm.lessUnsigned,
      ),
      wasm.localGet(2),
    ]);
    expect(f(7, 30)).toBe(35);
  });

  it("reads its memory, which is zero at first", () => {
    expect(start([wasm.localGet(0), wasm.load32(16)])(0, 0)).toBe(0);
  });
});
