import { afterEach, beforeEach, expect, it } from "vitest";
import { flush, readBytes, writeBytes } from "../../../src/util/io-request.ts";
import { EngineVolume } from "../../../src/volume/engine/engine-volume.ts";
import { failureOf } from "../contract/factory.ts";
import { MIB, type PoolHarness, poolHarness } from "./support.ts";

let place: PoolHarness;

beforeEach(async () => {
  place = await poolHarness();
  await place.driver.create(place.spec("disk", 4 * MIB));
});

afterEach(() => place.dispose());

function volumeOf(closed: () => void = () => undefined): EngineVolume {
  const { pool } = place;
  const thin = pool.volume("disk");
  return new EngineVolume({ pool, thin, readOnly: false, rotational: true, onClosed: closed });
}

it("waits on closing for what waits at the gate of a snapshot", async () => {
  const ends: string[] = [];
  const volume = volumeOf(() => ends.push("let go"));
  expect(volume.capabilities.rotational).toBe(true);
  await volume.thin.gate.close();
  const writing = writeBytes(volume, 0, Buffer.alloc(4096, 7)).then(() => ends.push("written"));
  const closing = volume.close();
  volume.thin.gate.open();
  await Promise.all([writing, closing]);
  expect(ends).toEqual(["written", "let go"]);
  expect((await readBytes(volume.thin, 0, 4096))[0]).toBe(7);
});

it("is of no use any more when its pool is closed under it, and can be closed still", async () => {
  const volume = volumeOf();
  const events: string[] = [];
  volume.subscribe((event) => void events.push(event));
  await place.pool.close();
  expect(events).toEqual(["gone"]);
  for (const action of [readBytes(volume, 0, 512), flush(volume)]) {
    expect(await failureOf(action)).toHaveProperty("kind", "gone");
  }
  await volume.close();
});

it("tells nothing after it was closed", async () => {
  const volume = volumeOf();
  const events: string[] = [];
  volume.subscribe((event) => void events.push(event));
  await volume.close();
  await place.pool.resize(place.pool.volume("disk"), 8 * MIB, false);
  expect(events).toEqual([]);
});
