import { describe, expect, it } from "vitest";
import type { JournalRecord } from "../../../src/thin/format/records.ts";
import { type Difference, diffVolumes } from "../../../src/thin/tools/diff-volumes.ts";
import { ExtentPlaces } from "../../../src/thin/tools/extent-places.ts";
import { type PoolImage, runsOf } from "../../../src/thin/tools/pool-image.ts";
import { ImageReplay } from "../../../src/thin/tools/replay-image.ts";
import { chooseSeed, SeededRandom } from "../../../src/util/random.ts";
import { attributesOf, carryOut, EXTENT_BYTES, makeState, SEGMENTS } from "../map/pool-harness.ts";

const seed = chooseSeed(process.env);
const PART_BYTES = 4096;
const PARTS = EXTENT_BYTES / PART_BYTES;
/** Two leaves and a bit. */
const EXTENTS = 2100;

/** A pool in the engine's own terms, and the same in plain ones. */
class Twins {
  readonly state = makeState();
  readonly image: PoolImage = {
    places: new ExtentPlaces(EXTENT_BYTES, SEGMENTS, []),
    settings: { name: "pool", overcommitMax: 0, thresholds: [] },
    nextVolumeId: 1,
    volumes: new Map(),
  };
  readonly #replay = new ImageReplay(this.image);
  #seq = 0;

  async apply(record: JournalRecord): Promise<void> {
    this.#seq += 1;
    await carryOut(this.state, record, this.#seq);
    expect(this.#replay.apply(record)).toBeNull();
  }

  async diff(a: number, b: number): Promise<Difference[]> {
    const volumes = [a, b].map((id) => this.state.volumes.get(id));
    const [first, second] = volumes;
    if (first === undefined || second === undefined) throw new Error("no such volume");
    const found: Difference[] = [];
    for await (const difference of diffVolumes(this.state, first, second)) found.push(difference);
    return found;
  }

  /** The extent of each part of a volume, by the part's number. */
  parts(id: number): Map<number, number> {
    const parts = new Map<number, number>();
    const volume = this.image.volumes.get(id);
    for (const { lext, run, phys, partial } of volume === undefined ? [] : runsOf(volume)) {
      for (let part = 0; part < run * PARTS; part += 1) {
        const isOwn = partial === null || ((partial.mask >>> part) & 1) === 1;
        const extent = isOwn ? phys + Math.floor(part / PARTS) : partial.base;
        if (extent >= 0) parts.set(lext * PARTS + part, extent);
      }
    }
    return parts;
  }
}

/** What differs, part by part. */
function expected(a: Map<number, number>, b: Map<number, number>): Map<number, string> {
  const differences = new Map<number, string>();
  for (const part of new Set([...a.keys(), ...b.keys()])) {
    if (a.get(part) === b.get(part)) continue;
    differences.set(part, !b.has(part) ? "only-a" : a.has(part) ? "changed" : "only-b");
  }
  return differences;
}

function byPart(differences: readonly Difference[]): Map<number, string> {
  const parts = new Map<number, string>();
  for (const { offsetBytes, lengthBytes, kind } of differences) {
    for (let at = 0; at < lengthBytes; at += PART_BYTES) {
      parts.set((offsetBytes + at) / PART_BYTES, kind);
    }
  }
  return parts;
}

function sorted(parts: Map<number, string>): [number, string][] {
  return [...parts].toSorted(([a], [b]) => a - b);
}

function randomChange(random: SeededRandom, volume: number): JournalRecord {
  const lext = random.pick([0, 990, 1008, 2000]) + random.below(18);
  const phys = 1 + random.below(149);
  const choice = random.below(3);
  if (choice === 0)
    return { kind: "map", volume, lext: lext - (lext % 3), phys, run: 1, safe: false };
  if (choice === 1) return { kind: "unmap", volume, lext, run: 1 + random.below(5) };
  const base = random.chance(0.5) ? -1 : 150 + random.below(150);
  return { kind: "partial", volume, lext, phys, mask: 1 + random.below(14), base };
}

describe(`the difference of two volumes (THINLUN_SEED=${seed})`, () => {
  it("is what a comparison of each part says, in order, in whole runs", async () => {
    const random = new SeededRandom(seed);
    for (let round = 0; round < 30; round += 1) {
      const twins = new Twins();
      await twins.apply({ kind: "create", attributes: attributesOf(1, EXTENTS) });
      for (let step = 0; step < 40; step += 1) await twins.apply(randomChange(random, 1));
      await twins.apply({ kind: "snapshot", source: 1, attributes: attributesOf(2, EXTENTS) });
      expect(await twins.diff(1, 2)).toEqual([]);
      for (let step = 0; step < 20; step += 1) {
        await twins.apply(randomChange(random, random.pick([1, 1, 2])));
      }
      const found = await twins.diff(1, 2);
      expect(sorted(byPart(found))).toEqual(sorted(expected(twins.parts(1), twins.parts(2))));
      for (const [index, { offsetBytes, kind }] of found.entries()) {
        const before = found[index - 1];
        if (before === undefined) continue;
        const end = before.offsetBytes + before.lengthBytes;
        expect(offsetBytes > end || (offsetBytes === end && kind !== before.kind)).toBe(true);
      }
    }
  });

  it("ends where the longer volume ends", async () => {
    const twins = new Twins();
    const odd = { ...attributesOf(1, 1), sizeBytes: EXTENT_BYTES + 512 };
    await twins.apply({ kind: "create", attributes: odd });
    await twins.apply({ kind: "create", attributes: attributesOf(2, 1) });
    await twins.apply({ kind: "map", volume: 1, lext: 0, phys: 3, run: 2, safe: true });
    await twins.apply({ kind: "map", volume: 2, lext: 0, phys: 5, run: 1, safe: true });
    expect(await twins.diff(1, 2)).toEqual([
      { offsetBytes: 0, lengthBytes: EXTENT_BYTES, kind: "changed" },
      { offsetBytes: EXTENT_BYTES, lengthBytes: 512, kind: "only-a" },
    ]);
    expect(await twins.diff(1, 1)).toEqual([]);
  });
});

describe("the replay of records on an image", () => {
  it("follows volumes through rollback, resize, rename and delete as the engine does", async () => {
    const twins = new Twins();
    await twins.apply({ kind: "create", attributes: attributesOf(1, EXTENTS) });
    await twins.apply({ kind: "map", volume: 1, lext: 1000, phys: 10, run: 8, safe: true });
    await twins.apply({ kind: "snapshot", source: 1, attributes: attributesOf(2, EXTENTS) });
    await twins.apply({ kind: "map", volume: 1, lext: 1008, phys: 30, run: 4, safe: true });
    await twins.apply({ kind: "resize", volume: 1, sizeBytes: 1010 * EXTENT_BYTES });
    expect([...twins.parts(1).keys()].at(-1)).toBe(1010 * PARTS - 1);
    await twins.apply({ kind: "snapshot", source: 1, attributes: attributesOf(3, 1010) });
    await twins.apply({ kind: "rollback", volume: 1, source: 2 });
    expect(twins.parts(1)).toEqual(twins.parts(2));
    expect(await twins.diff(1, 2)).toEqual([]);
    const renamed = { ...attributesOf(1, EXTENTS), name: "new" };
    await twins.apply({ kind: "attributes", attributes: renamed });
    await twins.apply({ kind: "delete", volume: 2 });
    const names = [...twins.image.volumes.values()].map(({ attributes }) => attributes.name);
    expect(names).toEqual(["new", "volume-3"]);
    expect(twins.image.volumes.get(1)?.attributes).toEqual(twins.state.volumes.get(1)?.attributes);
    expect(twins.image.volumes.get(1)?.attributes.sizeBytes).toBe(EXTENTS * EXTENT_BYTES);
  });

  it("refuses what cannot be", () => {
    const { image } = new Twins();
    const replay = new ImageReplay(image);
    expect(replay.apply({ kind: "delete", volume: 9 })).toContain("no volume 9");
    expect(replay.apply({ kind: "create", attributes: attributesOf(1, 5) })).toBeNull();
    expect(replay.apply({ kind: "create", attributes: attributesOf(1, 5) })).toContain("volume 1");
    expect(
      replay.apply({ kind: "map", volume: 1, lext: 0, phys: 550, run: 1, safe: true }),
    ).toContain("no extent 550");
    const partial = { kind: "partial", volume: 1, lext: 0, phys: 3, mask: 1, base: -1 } as const;
    expect(replay.apply({ ...partial, base: 3 })).toContain("base 3");
    expect(replay.apply({ ...partial, base: 550 })).toContain("base 550");
    expect(replay.apply({ ...partial, mask: 2 ** PARTS - 1 })).toContain("mask");
    expect(replay.apply(partial)).toBeNull();
  });
});
