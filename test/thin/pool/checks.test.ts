import { expect, test } from "vitest";
import {
  checkNewVolumes,
  checkOvercommit,
  checkPromises,
  checkReservable,
  checkSize,
  virtualBytes,
} from "../../../src/thin/pool/checks.ts";
import type { PoolState } from "../../../src/thin/map/pool-state.ts";
import { VOLUME_ID_MAX } from "../../../src/thin/limits.ts";
import { EXTENT, MIB, PoolBench, uuidOf } from "./support/pool-bench.ts";

async function stateOf(overcommitMax: number): Promise<PoolState> {
  const bench = await PoolBench.make({ overcommitMax });
  const volume = await bench.create("data", 20 * MIB);
  await bench.snapshot(volume, "monday");
  return volume.engine.state;
}

test("what can only be read is not promised again", async () => {
  const state = await stateOf(1);
  const capacityBytes = state.addresses.extentCount * EXTENT;
  expect(virtualBytes(state)).toBe(20 * MIB);
  checkOvercommit(state, capacityBytes - 20 * MIB);
  checkOvercommit(state, -MIB);
  expect(() => checkOvercommit(state, capacityBytes - 20 * MIB + 512)).toThrow(
    /limit is 1 times what it has/,
  );
});

test("no limit is no limit", async () => {
  checkOvercommit(await stateOf(0), 2 ** 50);
});

test("what is reserved must be free", async () => {
  const state = await stateOf(0);
  const { usableExtents } = state.space;
  checkReservable(state, usableExtents, "it");
  expect(() => checkReservable(state, usableExtents + 1, "it")).toThrow(/^it needs \d+ bytes/);
});

test("sizes, reservations and quotas", () => {
  checkSize(512);
  for (const wrong of [0, 511, -512, 512.5, Number.NaN, Infinity, 2 ** 52]) {
    expect(() => checkSize(wrong)).toThrow(/no size for a volume/);
  }
  const fine = { name: "data", sizeBytes: MIB, reservedBytes: MIB, quotaBytes: MIB };
  checkPromises(fine);
  checkPromises({ ...fine, quotaBytes: 0 });
  for (const wrong of [{ reservedBytes: MIB + 1 }, { quotaBytes: 1 }, { quotaBytes: 0.5 }]) {
    expect(() => checkPromises({ ...fine, ...wrong })).toThrow(/^data: /);
  }
});

test("names and UUIDs are unique, also among those that are asked for together", async () => {
  const state = await stateOf(0);
  const one = { name: "one", uuid: uuidOf(81) };
  const two = { name: "two", uuid: uuidOf(82) };
  checkNewVolumes(state, [one, two]);
  expect(() => checkNewVolumes(state, [one, { ...two, name: "one" }])).toThrow(/asked for twice/);
  expect(() => checkNewVolumes(state, [one, { ...two, uuid: one.uuid }])).toThrow(/twice/);
  expect(() => checkNewVolumes(state, [{ ...one, name: "monday" }])).toThrow(/there already/);
});

test("the last id can be given, and a pool that has given it can be opened", async () => {
  const bench = await PoolBench.make();
  const [one, two] = [81, 82].map((number) => ({ name: `n${number}`, uuid: uuidOf(number) }));
  const { state } = bench.pool;
  state.nextVolumeId = VOLUME_ID_MAX;
  expect(() => checkNewVolumes(state, [one!, two!])).toThrow(/all ids/);
  await bench.create("last", 20 * MIB);
  expect(() => checkNewVolumes(state, [one!])).toThrow(/all ids/);
  // The first opening could do with the checkpoint before the last one.
  for (let opening = 0; opening < 2; opening += 1) {
    await bench.close();
    await bench.open();
  }
  expect(bench.pool.volume("last").attributes.id).toBe(VOLUME_ID_MAX);
  await expect(bench.create("more", 20 * MIB)).rejects.toThrow(/all ids/);
});
