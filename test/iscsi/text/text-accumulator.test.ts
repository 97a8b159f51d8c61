import { expect, it } from "vitest";

import { TextAccumulator } from "../../../src/iscsi/text/text-accumulator.ts";

const bytes = (text: string): Uint8Array => Buffer.from(text);

it("joins pieces, of which it keeps copies, and is empty afterwards", () => {
  const accumulator = new TextAccumulator(16);
  const buffer = bytes("abc");
  expect(accumulator.append(buffer)).toBe(true);
  buffer.fill(0);
  expect(Buffer.from(accumulator.take()).toString()).toBe("abc");
  for (const piece of ["ab", "", "c"]) expect(accumulator.append(bytes(piece))).toBe(true);
  expect(accumulator.lengthBytes).toBe(3);
  expect(Buffer.from(accumulator.take()).toString()).toBe("abc");
  expect(accumulator.take()).toHaveLength(0);
});

it("takes up to its bound, and nothing of a piece that passes it", () => {
  const accumulator = new TextAccumulator(4);
  expect(accumulator.append(bytes("abcd"))).toBe(true);
  expect(accumulator.append(bytes("e"))).toBe(false);
  expect(accumulator.append(bytes(""))).toBe(true);
  expect(accumulator.lengthBytes).toBe(4);
  accumulator.clear();
  expect(accumulator.append(bytes("abcde"))).toBe(false);
  expect(accumulator.lengthBytes).toBe(0);
});
