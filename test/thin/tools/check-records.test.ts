import { describe, expect, it } from "vitest";
import { MemoryDevice } from "../../../src/device/memory-device.ts";
import type { Recovered } from "../../../src/thin/checkpoint/recovery.ts";
import type { JournalRecord, VolumeAttributes } from "../../../src/thin/format/records.ts";
import { appendRecord, syncBarrier } from "../../../src/thin/log/promises.ts";
import { PoolError } from "../../../src/thin/pool-error.ts";
import { type CheckReport, checkPool } from "../../../src/thin/tools/check.ts";
import { repairPool } from "../../../src/thin/tools/repair.ts";
import { chooseSeed, SeededRandom } from "../../../src/util/random.ts";
import {
  appendSome,
  attributesOf,
  EXTENT_BYTES,
  formatted,
  MIB,
  opened,
  ownerOf,
  RecordMaker,
} from "../checkpoint/fixture.ts";
import { withBlock } from "./support/append-block.ts";

const seed = chooseSeed(process.env);

/** Values of which about one in three is one too many. */
class RecordGuesser {
  readonly #random: SeededRandom;
  readonly #pool: Recovered;

  constructor(random: SeededRandom, pool: Recovered) {
    this.#random = random;
    this.#pool = pool;
  }

  next(): JournalRecord {
    const random = this.#random;
    const ids = [...this.#pool.state.volumes.keys()];
    const volume = random.pick([...ids, ...ids, 99]);
    const lext = random.pick([0, 5, 1000, 1007, 4095, 4096]);
    switch (random.below(11)) {
      case 0:
      case 1:
        return { kind: "map", volume, lext, phys: this.#phys(), run: this.#run(), safe: true };
      case 2: {
        const mask = random.pick([1, 7, 15]);
        return { kind: "partial", volume, lext, phys: this.#phys(), mask, base: this.#phys() };
      }
      case 3:
        return { kind: "unmap", volume, lext, run: this.#run() };
      case 4:
        return { kind: "create", attributes: this.#attributes() };
      case 5:
        return { kind: "snapshot", source: volume, attributes: this.#attributes() };
      case 6:
        return { kind: "rollback", volume, source: random.pick([...ids, 99]) };
      case 7:
        return { kind: "resize", volume, sizeBytes: random.pick([MIB, 65 * MIB]) };
      case 8:
        return { kind: "attributes", attributes: { ...this.#attributes(), id: volume } };
      case 9:
        return { kind: "virgin", segment: random.pick([0, 0, 1]), from: this.#phys() };
      default:
        return this.#growth();
    }
  }

  #run(): number {
    return this.#random.pick([1, 1, 1, 9]);
  }

  #phys(): number {
    const { extents, virginFrom } = this.#pool.state.addresses.segments[0]!;
    const some = [1, 2, 3, 4, 20, virginFrom - 1, virginFrom, extents - 1, extents];
    return this.#random.pick(some);
  }

  #attributes(): VolumeAttributes {
    const id = this.#random.pick([1, 2, 90, 90, 91]);
    const { name, uuid } = attributesOf(this.#random.pick([2, id, id, id]));
    const size = this.#random.pick([64 * MIB, 64 * MIB, 64 * MIB - 512, 2 * MIB]);
    return { ...attributesOf(id, size), name, uuid };
  }

  #growth(): JournalRecord {
    const { segments } = this.#pool.state.addresses;
    const [before] = segments;
    const end = before!.offsetBytes + before!.extents * EXTENT_BYTES;
    const offsetBytes = this.#random.pick([end, end + MIB, before!.offsetBytes]);
    const device = this.#random.pick([0, 0, 1]);
    const segment = { device, offsetBytes, extents: 4, virginFrom: 4 };
    return { kind: "grow-device", device, sizeBytes: 20 * MIB, segment };
  }
}

async function isOpened(device: MemoryDevice): Promise<boolean> {
  try {
    return !(await opened([device], 2)).report.fellBack;
  } catch (error) {
    if (error instanceof PoolError && error.kind === "corrupt") return false;
    throw error;
  }
}

function messages({ findings }: CheckReport): string {
  return findings.map(({ message }) => message).join("\n");
}

async function somePool(random: SeededRandom): Promise<{ device: MemoryDevice; pool: Recovered }> {
  const [device] = await formatted([16 * MIB], true);
  device!.resize(20 * MIB);
  const pool = await opened([device!], 1);
  for (const id of [1, 2, 3]) {
    await appendRecord(pool.journal, { kind: "create", attributes: attributesOf(id) });
  }
  await appendSome(pool, new RecordMaker(pool.state, random), 40);
  await pool.checkpointer.run("asked");
  await appendSome(pool, new RecordMaker(pool.state, random), 5);
  await syncBarrier(pool.barrier);
  return { device: device!, pool };
}

describe(`the check of what a journal says (THINLUN_SEED=${seed})`, () => {
  it("finds what an opening refuses, and nothing else", async () => {
    const random = new SeededRandom(seed);
    const { device, pool } = await somePool(random);
    const guesser = new RecordGuesser(random, pool);
    const upto = pool.journal.appliedSeq + 1;
    const verdicts = [0, 0];
    for (let round = 0; round < 50; round += 1) {
      const records = [guesser.next(), guesser.next()].slice(random.below(2));
      const other = withBlock(device, pool, [...records, { kind: "barrier", upto }]);
      const report = await checkPool([other]);
      const isSound = await isOpened(other);
      const story = `${JSON.stringify(records)}\n${messages(report)}`;
      expect(report.isSound, story).toBe(isSound);
      verdicts[isSound ? 1 : 0]! += 1;
    }
    expect(Math.min(...verdicts), String(verdicts)).toBeGreaterThan(0);
  });

  it("is saved by a repair as a pool that is sound", async () => {
    const random = new SeededRandom(seed);
    const { device, pool } = await somePool(random);
    const guesser = new RecordGuesser(random, pool);
    const upto = pool.journal.appliedSeq + 1;
    for (let round = 0; round < 30; round += 1) {
      const records = [guesser.next(), guesser.next(), guesser.next()];
      const other = withBlock(device, pool, [...records, { kind: "barrier", upto }]);
      const target = new MemoryDevice(24 * MIB, "new");
      await repairPool([other], {
        targets: [{ device: target, isZero: true }],
        uuid: "0e0e0e0e-4a59-4687-9785-a4b3c2d1e0ff",
        randomBytes: (length) => random.bytes(length),
        owner: ownerOf(3),
        bootId: ownerOf(2).bootId,
      });
      const story = JSON.stringify(records);
      const report = await checkPool([target]);
      expect(report.findings, story).toEqual([]);
      expect(await isOpened(target), story).toBe(true);
    }
  });
});
