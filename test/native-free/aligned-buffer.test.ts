import { describe, expect, it } from "vitest";
import { AlignedBufferPool } from "../../native-free/aligned-buffer.ts";

describe("AlignedBufferPool", () => {
  it("leases each of its buffers once", () => {
    const pool = new AlignedBufferPool(8192, 3);
    const leased = [pool.lease(), pool.lease(), pool.lease()];
    expect(new Set(leased).size).toBe(3);
    expect(pool.lease()).toBeNull();
    expect(pool.freeCount).toBe(0);
    for (const [index, buffer] of leased.entries()) buffer?.fill(index + 1);
    for (const [index, buffer] of leased.entries()) {
      expect(buffer).toHaveLength(8192);
      expect(buffer?.every((byte) => byte === index + 1)).toBe(true);
    }
  });

  it("puts them on pages of the memory", () => {
    const pool = new AlignedBufferPool(4096, 20);
    for (let index = 0; index < 20; index += 1) expect(pool.lease()!.byteOffset % 4096).toBe(0);
  });

  it("takes back what it leased, once", () => {
    const pool = new AlignedBufferPool(4096, 1);
    const buffer = pool.lease()!;
    pool.release(buffer);
    expect(() => pool.release(buffer)).toThrow(TypeError);
    expect(() => pool.release(Buffer.alloc(4096))).toThrow(TypeError);
    expect(pool.lease()).toBe(buffer);
  });

  it.each([
    [100, 1],
    [0, 1],
    [4096, 0],
    [1024 * 1024, 65],
  ])("refuses %d bytes %d times", (bytes, count) => {
    expect(() => new AlignedBufferPool(bytes, count)).toThrow(RangeError);
  });
});
