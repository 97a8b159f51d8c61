import { describe, expect, it } from "vitest";
import { readBytes, writeBytes } from "../../../src/util/io-request.ts";
import type { VolumeSpec } from "../../../src/volume/volume-driver.ts";
import { describeVolumeContract } from "../contract.ts";
import { failureOf } from "../contract/factory.ts";
import { EXTENT, MIB, POOL_UUID, type PoolHarness, poolHarness } from "./support.ts";

describeVolumeContract("engine", {
  driver: { create: true, delete: true, resize: true, snapshot: true, rollback: true },
  volume: {
    writable: true,
    thin: true,
    discardGranularityBytes: EXTENT,
    discardZeroes: true,
    extents: true,
    resizable: true,
    persistent: true,
    physicalBlockBytes: 4096,
    optimalIoBytes: EXTENT,
    rotational: false,
  },
  sizeStepBytes: 512,
  prepare: () => poolHarness(),
});

describe("the engine's driver", () => {
  const within = async (
    test: (place: PoolHarness) => Promise<void>,
    options: Readonly<Record<string, unknown>> = {},
  ): Promise<void> => {
    const place = await poolHarness(options);
    try {
      await test(place);
    } finally {
      await place.dispose();
    }
  };

  it("promises space and bounds it, as asked for at the time of opening", () =>
    within(async ({ driver, spec, pool }) => {
      const base = spec("disk", 8 * MIB);
      const asked = (options: Readonly<Record<string, unknown>>): VolumeSpec => ({
        ...base,
        options: { ...base.options, ...options },
      });
      await driver.create(asked({ reserve: 2 * MIB }));
      expect(pool.volume("disk").attributes).toMatchObject({
        reservedBytes: 2 * MIB,
        quotaBytes: 0,
      });
      const volume = await driver.open(asked({ quota: 4 * MIB }));
      expect(pool.volume("disk").attributes).toMatchObject({
        reservedBytes: 2 * MIB,
        quotaBytes: 4 * MIB,
      });
      await volume.close();
      const error = await failureOf(driver.open(asked({ reserve: 16 * MIB })));
      expect(error).toMatchObject({ kind: "invalid" });
      const again = await driver.open(base);
      await again.close();
    }));

  it("opens a snapshot like any volume: what was written later is not in it, and it takes nothing", () =>
    within(async ({ driver, spec, pool }) => {
      await driver.create(spec("disk", 4 * MIB));
      const volume = await driver.open(spec("disk"));
      await writeBytes(volume, 0, Buffer.alloc(4096, 1));
      const uuid = "11111111-2222-4333-8444-555555555555";
      await pool.snapshot([{ source: pool.volume("disk"), name: "monday", uuid }]);
      await writeBytes(volume, 0, Buffer.alloc(4096, 2));
      const snapshot = await driver.open({ ...spec("monday"), uuid: POOL_UUID });
      expect(snapshot.uuid).toBe(uuid);
      expect(snapshot.capabilities.writable).toBe(false);
      expect((await readBytes(snapshot, 0, 4096))[0]).toBe(1);
      const change = await failureOf(writeBytes(snapshot, 0, Buffer.alloc(512)));
      expect(change).toHaveProperty("kind", "read-only");
      const events: string[] = [];
      volume.subscribe((event) => void events.push(event));
      await pool.rollback(pool.volume("disk"), pool.volume("monday"));
      expect(events).toContain("content-replaced");
      expect((await readBytes(volume, 0, 4096))[0]).toBe(1);
      await snapshot.close();
      await volume.close();
    }));

  it("keeps a volume that is open from being deleted by anybody", () =>
    within(async ({ driver, spec, pool }) => {
      await driver.create(spec("disk", MIB));
      const volume = await driver.open(spec("disk"));
      expect(await failureOf(pool.delete(pool.volume("disk")))).toHaveProperty("kind", "busy");
      await volume.close();
      await pool.delete(pool.volume("disk"));
    }));

  it("does not open under a name that it loses meanwhile", () =>
    within(async ({ driver, spec, pool }) => {
      await driver.create(spec("disk", MIB));
      const { options, ...rest } = spec("disk");
      const renamed = pool.rename(pool.volume("disk"), "other");
      // It finds the volume, and has to wait for its turn to set the reservation.
      const opening = driver.open({ ...rest, options: { ...options, reserve: MIB } });
      await renamed;
      expect(await failureOf(opening)).toMatchObject({ kind: "busy" });
      const volume = await driver.open(spec("other"));
      expect(volume.name).toBe("other");
      await volume.close();
    }));

  it("says which pool is not open", () =>
    within(
      async ({ driver, spec }) => {
        const error = await failureOf(driver.open(spec("disk", MIB)));
        expect(error).toMatchObject({ kind: "invalid", message: expect.stringContaining("pond") });
      },
      { pool: "pond" },
    ));
});
