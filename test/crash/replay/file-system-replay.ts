import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ThinVolume } from "../../../src/thin/io/thin-volume.ts";
import { flush, writeBytes } from "../../../src/util/io-request.ts";
import { SeededRandom } from "../../../src/util/random.ts";
import { type FileSystemKind, runStages, writeImage } from "./file-system-stages.ts";
import { Inspection } from "./inspection.ts";
import { type PoolShape, RecordedPool, uuidOf } from "./recorded-pool.ts";
import { type Loss, Replay } from "./replay.ts";

const BLOCK_BYTES = 4096;
const SECTOR_BYTES = 512;
const CHUNK_BYTES = 64 * 1024;
const IN_FLIGHT = 4;

/** When a stage was written, in positions of the device log. */
interface StageTimes {
  readonly begunAt: number;
  readonly flushedAt: number;
}

interface StageCut {
  readonly position: number;
  readonly loss: Loss;
  /** The stage that is there as a whole; -1: none. */
  readonly stage: number;
  /** Whether the next one has begun. */
  readonly isBetween: boolean;
}

/** What is to be replayed. */
export interface FileSystemReplay {
  readonly kind: FileSystemKind;
  readonly shape: PoolShape;
  readonly seed: number;
  /** Cuts in the middle of each stage, and of those after its flush. */
  readonly cutsPerStage: number;
}

/** Writes a file system to a volume in its stages, cuts the log, and has what is recovered checked by the file system's own program. */
export async function replayFileSystem(options: FileSystemReplay): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "thinlun-replay-"));
  try {
    const random = new SeededRandom(options.seed);
    const images = runStages(options.kind, folder, random);
    const recorded = await RecordedPool.make(options.shape, options.seed);
    const times = await writeStages(recorded, images);
    return await checkCuts(options, recorded, images, times, folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function writeStages(
  recorded: RecordedPool,
  images: readonly Buffer[],
): Promise<StageTimes[]> {
  const { pool, log } = recorded;
  const sizeBytes = images[0]?.length ?? 0;
  const spec = { name: "fs", uuid: uuidOf(1), sizeBytes };
  const volume = await recorded.drive(pool.createVolume(spec));
  const times: StageTimes[] = [];
  let before: Buffer = Buffer.alloc(sizeBytes);
  for (const [index, image] of images.entries()) {
    const begunAt = log.position;
    await recorded.drive(writeChanges(recorded, volume, before, image));
    await recorded.drive(flush(volume));
    times.push({ begunAt, flushedAt: log.position });
    // The next stage writes into shared extents.
    const name = `stage${index}`;
    await recorded.drive(pool.snapshot([{ source: volume, name, uuid: uuidOf(10 + index) }]));
    before = image;
  }
  return times;
}

/** Writes the blocks that have changed, in any order. */
async function writeChanges(
  { random }: RecordedPool,
  volume: ThinVolume,
  before: Buffer,
  after: Buffer,
): Promise<void> {
  const runs: { readonly at: number; end: number }[] = [];
  for (let at = 0; at < after.length; at += BLOCK_BYTES) {
    if (after.compare(before, at, at + BLOCK_BYTES, at, at + BLOCK_BYTES) === 0) continue;
    const last = runs.at(-1);
    if (last !== undefined && last.end === at && at - last.at < CHUNK_BYTES) {
      last.end += BLOCK_BYTES;
    } else runs.push({ at, end: at + BLOCK_BYTES });
  }
  const work = async (): Promise<void> => {
    while (runs.length > 0) {
      const [run] = runs.splice(random.below(runs.length), 1);
      if (run !== undefined) await writeBytes(volume, run.at, after.subarray(run.at, run.end));
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, work));
}

function chooseCuts(
  times: readonly StageTimes[],
  end: number,
  perStage: number,
  random: SeededRandom,
): StageCut[] {
  const cuts: StageCut[] = [];
  for (const [stage, { begunAt, flushedAt }] of times.entries()) {
    const nextAt = times[stage + 1]?.begunAt ?? end;
    cuts.push({ position: flushedAt, loss: "all", stage, isBetween: false });
    for (let count = 0; count < perStage; count += 1) {
      const after = random.between(flushedAt, nextAt);
      cuts.push({ position: after, loss: "random", stage, isBetween: false });
      const middle = random.between(begunAt, flushedAt - 1);
      cuts.push({ position: middle, loss: "random", stage: stage - 1, isBetween: true });
    }
  }
  return cuts.toSorted((left, right) => left.position - right.position);
}

async function checkCuts(
  { kind, shape, seed, cutsPerStage }: FileSystemReplay,
  { log }: RecordedPool,
  images: readonly Buffer[],
  times: readonly StageTimes[],
  folder: string,
): Promise<string> {
  const random = new SeededRandom(seed);
  const replay = new Replay(log, shape.devices, random);
  const cuts = chooseCuts(times, log.position, cutsPerStage, random);
  const empty = Buffer.alloc(kind.sizeBytes);
  let checks = 0;
  for (const { position, loss, stage, isBetween } of cuts) {
    try {
      const inspection = await Inspection.begin(await replay.cut(position, loss), false);
      await inspection.checkDevices();
      const content = await inspection.content(inspection.pool.volume("fs"));
      const whole = images[stage] ?? empty;
      expectContent(content, whole, isBetween ? (images[stage + 1] ?? whole) : whole);
      if (isBetween) continue;
      const path = join(folder, "recovered");
      writeImage(path, content);
      kind.check(path);
      checks += 1;
    } catch (error) {
      const where = `${kind.name}, seed ${seed}, cut at ${position} of ${log.position} (${loss})`;
      throw new Error(`${where}, stage ${stage}: ${String(error)}`, { cause: error });
    }
  }
  return `${kind.name}, seed ${seed}: ${cuts.length} replays of ${log.position} entries, ${checks} file systems checked`;
}

/** Each sector is of one state or of the other. */
function expectContent(content: Buffer, one: Buffer, other: Buffer): void {
  for (let at = 0; at < content.length; at += CHUNK_BYTES) {
    const end = Math.min(at + CHUNK_BYTES, content.length);
    if (content.compare(one, at, end, at, end) === 0) continue;
    for (let sector = at; sector < end; sector += SECTOR_BYTES) {
      const stop = sector + SECTOR_BYTES;
      if (content.compare(one, sector, stop, sector, stop) === 0) continue;
      if (content.compare(other, sector, stop, sector, stop) === 0) continue;
      throw new Error(`sector ${sector / SECTOR_BYTES} is neither as before nor as after`);
    }
  }
}
