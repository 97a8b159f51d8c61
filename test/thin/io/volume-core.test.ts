import { expect, it } from "vitest";
import { PiecePool } from "../../../src/thin/io/piece-pool.ts";
import { VolumeCore } from "../../../src/thin/io/volume-core.ts";
import { IoKind, writeBytes } from "../../../src/util/io-request.ts";
import { TestRequest } from "../../device/test-request.ts";
import { TestPool } from "./test-pool.ts";

const EXTENT = 65_536;

it("says why a request is refused, the weightiest reason first", async () => {
  const pool = await TestPool.make();
  const { state } = await pool.create(4 * EXTENT, { readOnly: true });
  const core = new VolumeCore(pool, state);
  const kindOf = (kind: IoKind, offset: number, length: number): string | undefined =>
    core.refusal(new TestRequest(kind), offset, length)?.kind;
  expect(kindOf(IoKind.read, 0, 4 * EXTENT)).toBeUndefined();
  expect(kindOf(IoKind.read, -1, 1)).toBe("range");
  expect(kindOf(IoKind.read, 0, -1)).toBe("range");
  expect(kindOf(IoKind.read, Number.NaN, 1)).toBe("range");
  expect(kindOf(IoKind.write, 9 * EXTENT, 1)).toBe("read-only");
  expect(kindOf(IoKind.flush, Number.NaN, 1)).toBeUndefined();
  core.isGone = true;
  expect(kindOf(IoKind.flush, 0, 0)).toBe("gone");
});

it("counts what is on its way into the map against the quota", async () => {
  const pool = await TestPool.make();
  const volume = await pool.create(8 * EXTENT, { quotaBytes: 3 * EXTENT + 1 });
  const core = new VolumeCore(pool, volume.state);
  expect(core.quotaLeft()).toBe(3);
  await writeBytes(volume, 0, Buffer.alloc(512, 1));
  core.mappingExtents = 1;
  expect(core.quotaLeft()).toBe(1);
});

it("uses pieces again", async () => {
  const pool = await TestPool.make();
  const { state } = await pool.create(EXTENT);
  const pieces = new PiecePool(new VolumeCore(pool, state));
  const piece = pieces.take();
  expect(pieces.take()).not.toBe(piece);
  pieces.put(piece);
  expect(pieces.take()).toBe(piece);
});
