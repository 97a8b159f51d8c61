import { describe, expect, it } from "vitest";
import type { MemoryDevice } from "../../../src/device/memory-device.ts";
import { SUPERBLOCK_OFFSETS, tailOffsets } from "../../../src/thin/format/layout.ts";
import { appendRecord } from "../../../src/thin/log/promises.ts";
import { PoolError } from "../../../src/thin/pool-error.ts";
import { chooseSeed, SeededRandom } from "../../../src/util/random.ts";
import { appendSome, copyOf, dump, formatted, MIB, opened, RecordMaker } from "./fixture.ts";

const seed = chooseSeed(process.env);

interface Subject {
  readonly device: MemoryDevice;
  readonly state: string;
  /** The states that the pool was in before. */
  readonly earlier: ReadonlySet<string>;
  readonly slot: number;
  readonly journal: number;
  readonly extents: number;
  readonly extentsEnd: number;
}

/** Some records make so many pages dirty that a checkpoint begins by itself, and takes in what the journal should be needed for: then others are made up. */
async function subject(): Promise<Subject> {
  const random = new SeededRandom(seed);
  for (;;) {
    const made = await attempt(random);
    if (made !== undefined) return made;
  }
}

async function attempt(random: SeededRandom): Promise<Subject | undefined> {
  const [device] = await formatted();
  const pool = await opened([device!], 1);
  const maker = new RecordMaker(pool.state, random);
  const earlier = new Set<string>();
  for (let round = 0; round < 2; round += 1) {
    await appendSome(pool, maker, 15);
    await pool.checkpointer.run("asked");
  }
  const { generation } = pool.checkpointer;
  for (let round = 0; round < 3; round += 1) {
    await appendSome(pool, maker, 1);
    earlier.add(await dump(pool.state));
  }
  // The last one changes something for sure.
  const settings = { name: "renamed", overcommitMax: 0, thresholds: [] };
  await appendRecord(pool.journal, { kind: "settings", settings });
  await pool.checkpointer.idle();
  if (pool.checkpointer.generation !== generation) return undefined;
  const { journal } = pool.superblocks.last;
  const first = (pool.journal.appliedSeq - 3) % journal.blocks;
  return {
    device: device!,
    state: await dump(pool.state),
    earlier,
    slot: pool.checkpointer.generation % 2,
    journal: journal.offsetBytes + first * 4096,
    extents: pool.state.addresses.offsetOf(0),
    extentsEnd: pool.state.addresses.offsetOf(0) + 40 * 4096,
  };
}

/** What comes out when one byte is another: the exact state, an earlier one, or a refusal; nothing else. */
async function outcome({ device, state, earlier }: Subject, offset: number): Promise<string> {
  const byte = Buffer.alloc(1);
  device.tryRead(byte, 0, 1, offset);
  const flipped = Buffer.from([byte.readUInt8(0) ^ (1 << (offset % 8))]);
  device.tryWrite(flipped, 0, 1, offset);
  try {
    const found = await dump((await opened([device], 1, { readOnly: true })).state);
    if (found === state) return "exact";
    return earlier.has(found) ? "earlier" : "WRONG";
  } catch (error) {
    if (error instanceof PoolError && error.kind === "corrupt") return "refused";
    throw error;
  } finally {
    device.tryWrite(byte, 0, 1, offset);
  }
}

async function outcomes(it: Subject, start: number, end: number, step: number): Promise<string[]> {
  const found = new Set<string>();
  for (let offset = start; offset < end; offset += step) found.add(await outcome(it, offset));
  return [...found].toSorted();
}

describe(`one byte that is another (seed ${seed})`, () => {
  it("in a superblock changes nothing: there is a copy", async () => {
    const one = await subject();
    for (const offset of [...SUPERBLOCK_OFFSETS, ...tailOffsets(16 * MIB)]) {
      expect(await outcomes(one, offset, offset + 4096, 401)).toEqual(["exact"]);
    }
  });

  it("in the newest superblock and its copy leads to the checkpoint before, and the same state", async () => {
    const one = await subject();
    const twin = { ...one, device: copyOf(one.device) };
    const tail = tailOffsets(16 * MIB)[one.slot as 0 | 1];
    twin.device.tryWrite(Buffer.alloc(16, 9), 0, 16, tail + 100);
    const head = SUPERBLOCK_OFFSETS[one.slot as 0 | 1];
    expect(await outcomes(twin, head, head + 4096, 401)).toEqual(["exact"]);
  });

  it("in a block of the journal is noticed; in its last one it is a write that a kill cut short", async () => {
    const one = await subject();
    const last = one.journal + 3 * 4096;
    expect(await outcomes(one, one.journal, last, 211)).toEqual(["refused"]);
    expect(await outcomes(one, last, last + 4096, 211)).toEqual(["earlier"]);
  });

  it("in a page leads to the checkpoint before, or to none where both have the page", async () => {
    const one = await subject();
    const found = await outcomes(one, one.extents, one.extentsEnd, 1201);
    // Pages that have not changed lately belong to both: how many there are depends on the seed.
    expect(found.filter((each) => each !== "refused")).toEqual(["exact"]);
  });
});
