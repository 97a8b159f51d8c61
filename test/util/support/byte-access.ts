import { describe, expect, it } from "vitest";
import { chooseSeed, SeededRandom } from "../../../src/util/random.ts";

const LENGTH = 24;
const ROUNDS = 200;

/** Both ways of one width, with the Buffer's own as the oracle, which is written apart from them. */
export interface Width {
  readonly name: string;
  /** In bytes. */
  readonly length: number;
  readonly get: (bytes: Uint8Array, offset: number) => number;
  readonly set: (bytes: Uint8Array, offset: number, value: number) => void;
  readonly oracle: (bytes: Buffer, offset: number) => number;
}

/** Tests of access to numbers of these widths, in one order of bytes. */
export function describeWidths(order: string, widths: readonly Width[]): void {
  const seed = chooseSeed(process.env);
  const random = new SeededRandom(seed);

  describe.each(widths)(`${order} access, $name (THINLUN_SEED=${seed})`, (width) => {
    const most = Math.min(2 ** (8 * width.length) - 1, Number.MAX_SAFE_INTEGER);

    it("reads what the Buffer reads, at every offset", () => {
      for (let round = 0; round < ROUNDS; round += 1) {
        const buffer = random.bytes(LENGTH);
        const at = random.below(LENGTH - width.length + 1);
        expect(width.get(buffer, at)).toBe(width.oracle(buffer, at));
      }
    });

    it("writes what it reads, and nothing around it", () => {
      for (let round = 0; round < ROUNDS; round += 1) {
        const buffer = Buffer.alloc(LENGTH, 0xa5);
        const at = random.below(LENGTH - width.length + 1);
        const value = random.below(Math.min(most + 1, Number.MAX_SAFE_INTEGER));
        width.set(buffer, at, value);
        expect(width.oracle(buffer, at)).toBe(value);
        buffer.fill(0xa5, at, at + width.length);
        expect(buffer).toEqual(Buffer.alloc(LENGTH, 0xa5));
      }
    });

    it("takes the smallest and the largest", () => {
      const buffer = Buffer.alloc(width.length);
      for (const value of [0, most]) {
        width.set(buffer, 0, value);
        expect(width.get(buffer, 0)).toBe(value);
      }
    });
  });
}
