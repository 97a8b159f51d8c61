import { expect, test } from "vitest";
import { discard, flush, readBytes, writeBytes } from "../../../src/util/io-request.ts";
import { TestPool } from "../io/test-pool.ts";

const EXTENT = 65_536;

test("a leaf that is unmapped as a whole keeps its count while somebody reads through it (rule Q)", async () => {
  const pool = await TestPool.make();
  const origin = await pool.create(4 * EXTENT);
  await writeBytes(origin, 0, Buffer.alloc(4 * EXTENT, 1));
  const copy = await pool.snapshot(origin);
  pool.device.isHolding = true;
  const reading = readBytes(copy, 0, 4096);
  await new Promise(setImmediate);
  const [held] = pool.device.held.splice(0);
  pool.device.isHolding = false;
  // The copy gives the leaf up, which is the origin's alone by then; the read of the old map is still on its way.
  await discard(copy, 0, 4 * EXTENT);
  await flush(copy);
  await new Promise((resolve) => setTimeout(resolve, 5));
  await writeBytes(origin, 0, Buffer.alloc(4096, 2));
  if (held === undefined) throw new Error("the read waits in the device");
  pool.device.submit(held);
  const content = await reading;
  expect([0, 1]).toContain(content[0]);
  await pool.settle();
  expect((await readBytes(origin, 0, 4096))[0]).toBe(2);
});
