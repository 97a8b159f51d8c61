import { describe, expect, it } from "vitest";
import { IoError } from "../../../src/util/io-error.ts";
import { flush, readBytes, writeBytes, writeZeroes } from "../../../src/util/io-request.ts";
import { VolumeError, type VolumeSpec } from "../../../src/volume/volume-driver.ts";
import type { VolumeEvent } from "../../../src/volume/volume.ts";
import { benchOf, failureOf, type VolumeFactory } from "./factory.ts";

const MIB = 1024 * 1024;
const SIZE = 4 * MIB;

async function expectRefusal(action: Promise<unknown>, kind: VolumeError["kind"]): Promise<void> {
  const error = await failureOf(action);
  expect(error).toBeInstanceOf(VolumeError);
  expect(error).toHaveProperty("kind", kind);
}

/** Creating, opening, resizing, closing, deleting, and what is told about it. */
export function describeLifeCycle(factory: VolumeFactory): void {
  const bench = benchOf(factory);
  const step = factory.sizeStepBytes;
  const data = Buffer.alloc(4096, 0x5a);

  describe("the manifest", () => {
    it("is what was promised", async () => {
      const volume = await bench.make(SIZE);
      expect(bench.harness.driver.capabilities).toEqual(factory.driver);
      expect(volume.capabilities).toMatchObject(factory.volume);
    });

    it("is sound", async () => {
      const { capabilities } = await bench.make(SIZE);
      const isPowerOfTwo = (value: number): boolean => Number.isInteger(Math.log2(value));
      expect(isPowerOfTwo(capabilities.physicalBlockBytes)).toBe(true);
      const { discardGranularityBytes, optimalIoBytes } = capabilities;
      expect(discardGranularityBytes === 0 || isPowerOfTwo(discardGranularityBytes)).toBe(true);
      expect(optimalIoBytes === 0 || isPowerOfTwo(optimalIoBytes)).toBe(true);
      if (capabilities.thin) expect(discardGranularityBytes).toBeGreaterThan(0);
    });
  });

  describe("creating", () => {
    it("never overwrites", async () => {
      const spec = await bench.create("disk", SIZE);
      const volume = await bench.open(spec);
      await writeBytes(volume, 0, data);
      await expectRefusal(bench.harness.driver.create(spec), "exists");
      expect(await readBytes(volume, 0, data.length)).toEqual(data);
      await volume.close();
      await expectRefusal(bench.harness.driver.create(spec), "exists");
    });

    it("needs a size", async () => {
      const { driver, spec } = bench.harness;
      await expectRefusal(driver.create(spec("disk")), "invalid");
      await expectRefusal(driver.create(spec("disk", 0)), "invalid");
      await expectRefusal(driver.create(spec("disk", 1.5)), "invalid");
    });

    it("refuses options that it does not know", async () => {
      const { driver, spec } = bench.harness;
      const known = spec("disk", SIZE);
      const odd: VolumeSpec = { ...known, options: { ...known.options, overwirte: true } };
      const error = await failureOf(driver.create(odd));
      expect(error).toHaveProperty("kind", "invalid");
      expect(String(error)).toContain("overwirte");
      await expectRefusal(driver.open(known), "missing");
    });
  });

  describe("opening", () => {
    it("keeps name and uuid", async () => {
      const spec = await bench.create("disk", SIZE);
      const volume = await bench.open(spec);
      expect(volume.name).toBe("disk");
      expect(volume.uuid).toBe(spec.uuid);
    });

    it("says what is missing", async () => {
      const spec = bench.harness.spec("nowhere", SIZE);
      await expectRefusal(bench.harness.driver.open(spec), "missing");
      await expectRefusal(bench.harness.driver.delete(spec), "missing");
    });

    it("is exclusive, and free again after closing", async () => {
      const spec = await bench.create("disk", SIZE);
      const volume = await bench.open(spec);
      await expectRefusal(bench.harness.driver.open(spec), "busy");
      await volume.close();
      await bench.open(spec);
    });

    it("read-only takes no change of any kind", async () => {
      const spec = await bench.create("disk", SIZE);
      const volume = await bench.open({ ...spec, readOnly: true });
      expect(volume.capabilities.writable).toBe(false);
      expect(volume.capabilities.discardGranularityBytes).toBe(0);
      expect(volume.tryWrite(data, 0, data.length, 0)).toBe(false);
      for (const change of [writeBytes(volume, 0, data), writeZeroes(volume, 0, 4096)]) {
        expect(await failureOf(change)).toHaveProperty("kind", "read-only");
      }
      await flush(volume);
      expect((await readBytes(volume, 0, 4096)).every((byte) => byte === 0)).toBe(true);
    });
  });

  describe("closing", () => {
    it("waits for what is running, and may be called again", async () => {
      const volume = await bench.make(SIZE);
      const writes = Array.from({ length: 32 }, (_, index) =>
        writeBytes(volume, index * 4096, data),
      );
      const closing = Promise.all([volume.close(), volume.close()]);
      await Promise.all(writes);
      await closing;
      await volume.close();
    });

    it("refuses everything afterwards", async () => {
      const volume = await bench.make(SIZE);
      await volume.close();
      expect(volume.tryRead(Buffer.alloc(512), 0, 512, 0)).toBe(false);
      expect(volume.tryWrite(Buffer.alloc(512), 0, 512, 0)).toBe(false);
      for (const action of [
        readBytes(volume, 0, 512),
        writeBytes(volume, 0, data),
        flush(volume),
      ]) {
        const error = await failureOf(action);
        expect(error).toBeInstanceOf(IoError);
        expect(error).toHaveProperty("kind", "gone");
      }
    });

    it("keeps the content where the manifest says so", async () => {
      const spec = await bench.create("disk", SIZE);
      const volume = await bench.open(spec);
      await writeBytes(volume, SIZE - data.length, data);
      await volume.close();
      const again = await bench.open(spec);
      expect(again.capacityBytes).toBe(SIZE);
      if (!again.capabilities.persistent) return;
      expect(await readBytes(again, SIZE - data.length, data.length)).toEqual(data);
    });
  });

  describe("resizing", () => {
    it("grows while it is open, and tells", async () => {
      const volume = await bench.make(SIZE);
      const events: VolumeEvent[] = [];
      const unsubscribe = volume.subscribe((event) => void events.push(event));
      await writeBytes(volume, 0, data);
      const grown = SIZE + 4 * step;
      const growing = bench.harness.driver.resize(volume, grown, false);
      if (!factory.driver.resize) {
        await expectRefusal(growing, "unsupported");
        return;
      }
      await growing;
      expect(volume.capacityBytes).toBe(grown);
      expect(events).toEqual(["capacity-changed"]);
      expect(await readBytes(volume, 0, data.length)).toEqual(data);
      expect((await readBytes(volume, SIZE, grown - SIZE)).every((byte) => byte === 0)).toBe(true);
      await writeBytes(volume, grown - data.length, data);
      unsubscribe();
      await bench.harness.driver.resize(volume, grown + step, false);
      expect(events).toHaveLength(1);
    });

    it("shrinks only with consent", async () => {
      const volume = await bench.make(SIZE);
      if (!factory.driver.resize) return;
      const { driver } = bench.harness;
      await writeBytes(volume, SIZE - data.length, data);
      const shrunk = SIZE - 2 * step;
      await expectRefusal(driver.resize(volume, shrunk, false), "invalid");
      expect(await readBytes(volume, SIZE - data.length, data.length)).toEqual(data);
      await driver.resize(volume, shrunk, true);
      expect(volume.capacityBytes).toBe(shrunk);
      expect(await failureOf(readBytes(volume, shrunk - 512, 1024))).toHaveProperty(
        "kind",
        "range",
      );
      expect(volume.tryRead(Buffer.alloc(1024), 0, 1024, shrunk - 512)).toBe(false);
      await driver.resize(volume, SIZE, false);
      const after = await readBytes(volume, shrunk, SIZE - shrunk);
      expect(after.every((byte) => byte === 0)).toBe(true);
    });

    it("refuses what is no size, and volumes of others", async () => {
      const volume = await bench.make(SIZE);
      if (!factory.driver.resize) return;
      const { driver } = bench.harness;
      await expectRefusal(driver.resize(volume, 0, true), "invalid");
      await expectRefusal(driver.resize(volume, 0.5, true), "invalid");
      const { driver: stranger, dispose } = await factory.prepare();
      await expectRefusal(stranger.resize(volume, 2 * SIZE, false), "invalid");
      await dispose();
    });

    it("has nothing to tell when nothing changed", async () => {
      const volume = await bench.make(SIZE);
      const events: VolumeEvent[] = [];
      volume.subscribe((event) => void events.push(event));
      await volume.refresh();
      expect(events).toEqual([]);
      await volume.close();
      await volume.refresh();
    });
  });

  describe("deleting", () => {
    it("removes what is closed, and not what is open", async () => {
      const spec = await bench.create("disk", SIZE);
      const { driver } = bench.harness;
      if (!factory.driver.delete) {
        await expectRefusal(driver.delete(spec), "unsupported");
        return;
      }
      const volume = await bench.open(spec);
      await expectRefusal(driver.delete(spec), "busy");
      await writeBytes(volume, 0, data);
      await volume.close();
      await driver.delete(spec);
      await expectRefusal(driver.open(spec), "missing");
      await driver.create(spec);
      const anew = await bench.open(spec);
      expect((await readBytes(anew, 0, SIZE)).every((byte) => byte === 0)).toBe(true);
    });
  });
}
