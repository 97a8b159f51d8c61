import { expect, it } from "vitest";
import { DeviceFilter } from "../../../src/device/device-filter.ts";
import type { MemoryDevice } from "../../../src/device/memory-device.ts";
import type { Recovered } from "../../../src/thin/checkpoint/recovery.ts";
import type { Health } from "../../../src/thin/log/health.ts";
import { appendRecord, syncBarrier } from "../../../src/thin/log/promises.ts";
import { auditState } from "../../../src/thin/map/audit.ts";
import { IoError } from "../../../src/util/io-error.ts";
import { IoKind, type IoRequest } from "../../../src/util/io-request.ts";
import { attributesOf, copyOf, EXTENT_BYTES, formatted, MIB, opened, recorded } from "./fixture.ts";

const EXTENTS = 40;
const LEAF_ENTRIES = 1008;
const LARGE_BYTES: number = 1024 * MIB;

/** What lies in the extents that a volume maps: a byte of each, or "mixed". */
async function contentOf(
  { state }: Recovered,
  volume: number,
  device: MemoryDevice,
): Promise<unknown[]> {
  const leaf = state.volumes.get(volume)?.map.leaf(0) ?? 0;
  if (leaf === 0) return [];
  state.leaves.pin(leaf);
  await state.leaves.load(leaf);
  const found: unknown[] = [];
  const bytes = Buffer.alloc(EXTENT_BYTES);
  for (const entry of state.leaves.entries(leaf)) {
    if (entry === 0) continue;
    device.tryRead(bytes, 0, EXTENT_BYTES, state.addresses.offsetOf(entry - 1));
    found.push(bytes.every((byte) => byte === bytes[0]) ? bytes[0] : "mixed");
  }
  state.leaves.unpin(leaf);
  return found;
}

/** A volume of durable data, and then records that no barrier covers: it is deleted, and pages of another become dirty. */
async function killedAfterDelete(device: MemoryDevice): Promise<void> {
  const pool = await opened([device], 1);
  const { journal, state } = pool;
  await appendRecord(journal, { kind: "create", attributes: attributesOf(1) });
  await appendRecord(journal, { kind: "create", attributes: attributesOf(2, LARGE_BYTES) });
  for (let lext = 0; lext < EXTENTS; lext += 1) {
    const phys = state.space.allocate(null, 1);
    device.tryWrite(Buffer.alloc(EXTENT_BYTES, 7), 0, EXTENT_BYTES, state.addresses.offsetOf(phys));
    await appendRecord(journal, { kind: "map", volume: 1, lext, phys, run: 1, safe: false });
  }
  await pool.checkpointer.run("asked");
  await syncBarrier(pool.barrier);
  while (state.space.metadata.freeBlocks > 0) {
    const lext = state.leaves.count * LEAF_ENTRIES;
    const phys = state.space.allocate(null, 1);
    await appendRecord(journal, { kind: "map", volume: 2, lext, phys, run: 1, safe: false });
    await pool.checkpointer.run("asked");
  }
  await appendRecord(journal, { kind: "delete", volume: 1 });
}

it("writes over nothing that a power loss brings back while it recovers from a kill", async () => {
  const [device] = await formatted([64 * MIB]);
  await killedAfterDelete(device!);
  const recorder = recorded(copyOf(device!));
  const again = await opened([recorder], 1);
  expect([...again.state.volumes.keys()]).toEqual([2]);
  for (let count = 0; count <= recorder.events.length; count += 1) {
    // All that was written has come to the disk: nothing else could have been hoped for.
    const image = copyOf(device!);
    for (const event of recorder.events.slice(0, count)) {
      if (event === "flush") continue;
      image.tryWrite(event.bytes, 0, event.bytes.length, event.offsetBytes);
    }
    const back = await opened([image], 2);
    const isThere = back.state.volumes.has(1);
    const expected = isThere ? Array.from({ length: EXTENTS }, () => 7) : [];
    expect(await contentOf(back, 1, image), `event ${count}`).toEqual(expected);
    expect(await auditState(back.state)).toEqual([]);
  }
});

/** Calls back at each of its flushes. */
class NotedFlush extends DeviceFilter {
  flushed: () => void = () => undefined;

  override submit(request: IoRequest): void {
    if (request.kind === IoKind.flush) this.flushed();
    super.submit(request);
  }
}

it("writes nothing more when it is stopped from outside, as a host is that has lost the pool", async () => {
  const [device] = await formatted([64 * MIB]);
  await killedAfterDelete(device!);
  // The flush that a recovery begins with, and that before the barrier.
  for (const last of [1, 2]) {
    const below = recorded(copyOf(device!));
    const noted = new NotedFlush(below, "noted");
    const fence = new IoError("failed", "another host has it", { object: "tank" });
    const onBegin = (health: Health): void => {
      let left = last;
      noted.flushed = () => {
        left -= 1;
        if (left === 0) health.fail(fence);
      };
    };
    await expect(opened([noted], 1, { onBegin })).rejects.toBe(fence);
    expect(below.events.filter((event) => event !== "flush")).toEqual([]);
  }
});

/** Fails one of its flushes. */
class FailingFlush extends DeviceFilter {
  left = Infinity;

  override submit(request: IoRequest): void {
    if (request.kind === IoKind.flush) this.left -= 1;
    if (request.kind !== IoKind.flush || this.left !== 0) super.submit(request);
    else request.done(new IoError("medium", "a flush that fails", { object: this.name }));
  }
}

it("stops where the flush for it fails, and lets that outlive the process (rule F)", async () => {
  const [device] = await formatted([64 * MIB]);
  await killedAfterDelete(device!);
  for (const flush of [2, 3]) {
    const failing = new FailingFlush(copyOf(device!), "failing");
    failing.left = flush;
    const failures: IoError[] = [];
    const onFailure = (error: IoError): void => void failures.push(error);
    await expect(opened([failing], 1, { onFailure })).rejects.toMatchObject({ kind: "failed" });
    expect(failures.map(({ message }) => message).join()).toMatch(/journal could not be made/);
  }
});
