import { describe, expect, it } from "vitest";

import { BufferPool } from "../../src/iscsi/buffer-pool.ts";

describe("BufferPool", () => {
  it("lends the buffer again that came back last", () => {
    const pool = new BufferPool(64, 4);
    const [first, second] = [pool.lease(), pool.lease()];
    expect(first).not.toBe(second);
    expect(first.length).toBe(64);
    pool.release(first);
    pool.release(second);
    expect(pool.lease()).toBe(second);
    expect(pool.lease()).toBe(first);
    expect(pool.lentCount).toBe(2);
  });

  it("keeps no more than it was told, and never says no", () => {
    const pool = new BufferPool(64, 1);
    const buffers = Array.from({ length: 3 }, () => pool.lease());
    expect(new Set(buffers).size).toBe(3);
    for (const buffer of buffers) pool.release(buffer);
    expect(pool.lentCount).toBe(0);
    expect(pool.lease()).toBe(buffers[0]);
    expect(buffers).not.toContain(pool.lease());
  });

  it("takes nothing back that it did not lend", () => {
    const pool = new BufferPool(64, 1);
    expect(() => pool.release(Buffer.alloc(64))).toThrow("once");
    pool.lease();
    expect(() => pool.release(Buffer.alloc(63))).toThrow("came from");
  });
});
