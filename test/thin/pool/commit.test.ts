import { expect, test } from "vitest";
import { DeviceFilter } from "../../../src/device/device-filter.ts";
import { MemoryDevice } from "../../../src/device/memory-device.ts";
import { asPoolError, atInstant } from "../../../src/thin/pool/commit.ts";
import { IoKind, type IoRequest, writeBytes } from "../../../src/util/io-request.ts";
import { IO_ERROR_KINDS, IoError } from "../../../src/util/io-error.ts";
import { EXTENT, MIB, PoolBench } from "./support/pool-bench.ts";

/** Holds flushes back while it is told to. */
class HeldFlushes extends DeviceFilter {
  readonly #held: IoRequest[] = [];
  isHolding = false;

  get held(): number {
    return this.#held.length;
  }

  override submit(request: IoRequest): void {
    if (this.isHolding && request.kind === IoKind.flush) this.#held.push(request);
    else super.submit(request);
  }

  letGo(): void {
    this.isHolding = false;
    for (const request of this.#held.splice(0)) super.submit(request);
  }
}

/** Counts those in a hurry. */
class FakeJournal {
  hurried = 0;

  hurry(): () => void {
    this.hurried += 1;
    return () => void (this.hurried -= 1);
  }
}

test("at an instant nothing changes the volumes; afterwards their gates are open, also after a failure", async () => {
  const bench = await PoolBench.make();
  const [one, two] = [await bench.create("one"), await bench.create("two")];
  await bench.fill(one, 0, 1, 1);
  let write: Promise<void> | null = null;
  const journal = new FakeJournal();
  await bench.drive(
    atInstant({ journal }, [one, two, one], {}, async () => {
      expect(journal.hurried).toBe(0);
      expect([one.gate.isClosed, two.gate.isClosed]).toEqual([true, true]);
      expect(one.tryWrite(Buffer.alloc(512), 0, 512, 0)).toBe(false);
      write = writeBytes(one, 0, Buffer.alloc(EXTENT, 2));
      expect(await bench.byteAt(one, 0)).toBe(1);
    }),
  );
  await bench.drive(write!);
  expect(await bench.byteAt(one, 0)).toBe(2);
  const failing = atInstant({ journal }, [one], { reads: true }, () =>
    Promise.reject(new Error("no")),
  );
  await expect(bench.drive(failing)).rejects.toThrow("no");
  expect(one.gate.isClosed).toBe(false);
});

test("what an instant waits for is in a hurry", async () => {
  const bench = await PoolBench.make();
  const volume = await bench.create("data");
  const journal = new FakeJournal();
  expect(volume.gate.tryEnterChange()).toBe(true);
  const instant = atInstant({ journal }, [volume], {}, () => Promise.resolve());
  await bench.pass(10, 10);
  expect(journal.hurried).toBe(1);
  volume.gate.leaveChange();
  await bench.drive(instant);
  expect(journal.hurried).toBe(0);
});

test("a change at an instant lets others in before it is durable, and returns when it is", async () => {
  const events: string[] = [];
  const device = new HeldFlushes(new MemoryDevice(64 * MIB, "disk"), "disk");
  const bench = await PoolBench.make({ devices: [device] });
  const volume = await bench.create("data");
  await bench.fill(volume, 0, 1, 1);
  device.isHolding = true;
  const snapshot = bench.pool
    .snapshot([{ source: volume, name: "copy", uuid: bench.uuid() }])
    .then(() => events.push("durable"));
  await bench.pass(10, 10);
  expect(device.held).toBeGreaterThan(0);
  expect(volume.gate.isClosed).toBe(false);
  expect(bench.pool.volumes()).toEqual([volume]);
  await bench.fill(volume, 0, 1, 2);
  events.push("written");
  device.letGo();
  await bench.drive(snapshot);
  expect(events).toEqual(["written", "durable"]);
  expect(await bench.byteAt(bench.pool.volume("copy"), 0)).toBe(1);
});

test("errors of I/O become errors of the pool, others stay what they are", () => {
  const other = new Error("other");
  expect(asPoolError(other)).toBe(other);
  const kinds = IO_ERROR_KINDS.map((kind) => {
    const error = asPoolError(new IoError(kind, "it broke", { object: "tank" }));
    expect(error).toMatchObject({ message: "tank: it broke" });
    return [kind, (error as { kind: string }).kind];
  });
  expect(Object.fromEntries(kinds)).toMatchObject({
    failed: "failed",
    space: "space",
    "space-pending": "space",
    gone: "missing",
    medium: "io",
  });
});
