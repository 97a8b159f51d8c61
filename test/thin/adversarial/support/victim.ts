import { MemoryDevice } from "../../../../src/device/memory-device.ts";
import { isFault } from "../../../../src/thin/format/fault.ts";
import { openJournalBlock } from "../../../../src/thin/format/journal-block.ts";
import { JOURNAL_OFFSET_BYTES } from "../../../../src/thin/format/layout.ts";
import { checkPage, looksLikePage, type PageHeader } from "../../../../src/thin/format/page.ts";
import { newestOf, readSuperblockCopies } from "../../../../src/thin/format/superblock-io.ts";
import { PoolError } from "../../../../src/thin/pool-error.ts";
import { discard, flush, readBytes, writeBytes } from "../../../../src/util/io-request.ts";
import { EXTENT, MIB, POOL_UUID, PoolBench } from "../../pool/support/pool-bench.ts";
import { OverlayDevice } from "../../../support/overlay-device.ts";

export const BLOCK = 4096;
const LEAF_BYTES: number = 1008 * EXTENT;
/** What lies in extents that no volume has any more: whoever sees it was shown foreign data. */
const SECRET = 0x5e;

/** Extents of the volumes that are looked at: those that were written, and some that never were. */
const LOOKED_AT: readonly number[] = [0, 1, 2, 3, 1007, 1008, 1009, 90 * 1008, 90 * 1008 + 1];

/** A page of metadata that lies on the device. */
export interface FoundPage extends PageHeader {
  readonly offsetBytes: number;
}

/** A small pool with everything in it, killed. */
export interface Victim {
  readonly device: OverlayDevice;
  /** What its volumes are; and what they were before each of the last blocks of its journal, the last first. */
  readonly state: string;
  readonly earlier: readonly string[];
  /** Blocks of the journal that a recovery carries out, in their order, by their places. */
  readonly journal: readonly number[];
  /** Of all generations that are left. */
  readonly pages: readonly FoundPage[];
}

/** All that the volumes of a pool say and hold. */
export async function stateOf(bench: PoolBench): Promise<string> {
  const volumes: unknown[] = [];
  for (const volume of bench.pool.volumes()) {
    const content: string[] = [];
    for (const lext of LOOKED_AT) {
      const at = lext * EXTENT;
      if (at >= volume.capacityBytes) continue;
      const data = await bench.drive(readBytes(volume, at, EXTENT));
      if (data.includes(SECRET)) throw new Error("foreign data");
      content.push(`${lext}=${summary(data)}`);
    }
    volumes.push([volume.attributes, content.join(" ")]);
  }
  return JSON.stringify(volumes);
}

/** The byte of each block, equal neighbours once. */
function summary(data: Buffer): string {
  const values: number[] = [];
  for (let at = 0; at < data.length; at += BLOCK) {
    const [byte = 0] = data.subarray(at, at + 1);
    const isOne = data.compare(data, at, at + BLOCK - 1, at + 1, at + BLOCK) === 0;
    const value = isOne ? byte : -1;
    if (values.at(-1) !== value) values.push(value);
  }
  return values.join(",");
}

export async function makeVictim(sizeMib: number = 24): Promise<Victim> {
  const disk = new MemoryDevice(sizeMib * MIB, "victim");
  const bench = await PoolBench.make({ devices: [disk], isZero: false });
  const old = await bench.create("old", EXTENT * 8);
  await bench.fill(old, 0, 8, SECRET);
  await bench.drive(bench.pool.delete(old));
  const data = await bench.create("data", 100 * LEAF_BYTES);
  const block = (lext: number, index: number, byte: number): Promise<void> =>
    bench.drive(writeBytes(data, lext * EXTENT + index * BLOCK, Buffer.alloc(BLOCK, byte)));
  await bench.fill(data, 0, 3, 1);
  await bench.fill(data, 1008, 1, 2);
  await bench.snapshot(data, "snapshot");
  await block(0, 3, 7);
  await block(90 * 1008, 2, 8);
  await bench.drive(bench.pool.checkpoint());
  await block(1, 5, 9);
  await bench.snapshot(data, "clone", false);
  await bench.drive(bench.pool.checkpoint());
  const earlier: string[] = [];
  const steps: (() => Promise<unknown>)[] = [
    () => block(1009, 0, 10),
    () => bench.drive(discard(data, 2 * EXTENT, EXTENT)),
    () => bench.drive(bench.pool.rename(bench.pool.volume("clone"), "renamed")),
    () => bench.drive(flush(data)),
    () => block(3, 1, 11),
  ];
  for (const step of steps) {
    earlier.unshift(await stateOf(bench));
    await step();
  }
  const state = await stateOf(bench);
  const device = new OverlayDevice(disk);
  const checkpointSeq = newestOf(await readSuperblockCopies(disk))?.checkpointSeq ?? 0;
  return { device, state, earlier, ...layoutOf(device, bench, checkpointSeq) };
}

function layoutOf(
  device: OverlayDevice,
  bench: PoolBench,
  checkpointSeq: number,
): Pick<Victim, "journal" | "pages"> {
  const { addresses, geometry } = bench.pool.state;
  const from = addresses.offsetOf(0);
  const found = new Map<number, number>();
  for (let at = JOURNAL_OFFSET_BYTES; at < from; at += BLOCK) {
    const block = openJournalBlock(device.block(at), POOL_UUID);
    if (!isFault(block) && block.seq > checkpointSeq) found.set(block.seq, at);
  }
  const pages: FoundPage[] = [];
  for (let phys = 0; phys < addresses.extentCount; phys += 1) {
    for (let index = 0; index < geometry.blocksPerExtent; index += 1) {
      const offsetBytes = addresses.offsetOf(phys) + index * BLOCK;
      const bytes = device.block(offsetBytes);
      if (!looksLikePage(bytes, 0)) continue;
      const header = checkPage(bytes, POOL_UUID, {
        block: phys * geometry.blocksPerExtent + index,
      });
      if (!isFault(header)) pages.push({ ...header, offsetBytes });
    }
  }
  const journal = [...found].toSorted(([a], [b]) => a - b).map(([, at]) => at);
  return { journal, pages };
}

/** What an opening comes to: "exact", "earlier", or the kind of the PoolError; whatever else happens is thrown. */
export async function outcomeOf(victim: Victim, devices = [victim.device]): Promise<string> {
  const bench = new PoolBench(devices);
  try {
    await bench.open();
  } catch (error) {
    if (error instanceof PoolError) return error.kind;
    throw error;
  }
  const state = await stateOf(bench);
  const isSound = (await bench.drive(bench.pool.check())).length === 0;
  await bench.close();
  if (!isSound) return "UNSOUND";
  if (state === victim.state) return "exact";
  return victim.earlier.includes(state) ? "earlier" : `WRONG: ${state}`;
}
