import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { MemoryDevice } from "../../../src/device/memory-device.ts";
import {
  JOURNAL_OFFSET_BYTES,
  SUPERBLOCK_OFFSETS,
  tailOffsets,
} from "../../../src/thin/format/layout.ts";
import { isFault } from "../../../src/thin/format/fault.ts";
import { readSuperblockCopies } from "../../../src/thin/format/superblock-io.ts";
import { encodeSuperblock } from "../../../src/thin/format/superblock.ts";
import { PageKind, sealPage } from "../../../src/thin/format/page.ts";
import { chooseSeed, SeededRandom } from "../../../src/util/random.ts";
import { MIB, POOL_UUID, PoolBench, uuidOf } from "../pool/support/pool-bench.ts";
import { OverlayDevice } from "../../support/overlay-device.ts";
import { BLOCK, makeVictim, outcomeOf, stateOf, type Victim } from "./support/victim.ts";

/**
 * Blocks that are whole, and not where they belong: copies, old ones, those of other pools and devices. Each opening leads to the
 * volumes as they were, or is refused with a PoolError.
 */

const seed = chooseSeed(process.env);
const ANOTHER_POOL = "0e0e0e0e-4a59-4687-9785-a4b3c2d1e0ff";
const EXACT_OR_REFUSED = ["exact", "corrupt"];

let victim: Victim;
beforeAll(async () => {
  victim = await makeVictim();
});
beforeEach(() => victim.device.reset());

describe(`a pool of which the blocks were rearranged (THINLUN_SEED=${seed})`, () => {
  it("is refused on a device that was cut off", async () => {
    const { device } = victim;
    const random = new SeededRandom(seed);
    const sizes = [0, 1, 4096, 3 * MIB, 3 * MIB + 4096, 8 * MIB, 9 * MIB + 5000];
    for (let count = 0; count < 20; count += 1) sizes.push(random.below(device.capacityBytes));
    for (const size of sizes) {
      device.cutTo(size);
      expect(["corrupt", "missing"], `${size} bytes`).toContain(await outcomeOf(victim));
      device.reset();
    }
  });

  it("does not take one copy of a superblock for the other", async () => {
    const { device } = victim;
    const places = [...SUPERBLOCK_OFFSETS, ...tailOffsets(device.capacityBytes)];
    for (const from of places) {
      for (const to of places) {
        device.put(to, device.block(from));
        expect(await outcomeOf(victim)).toBe("exact");
        device.reset();
      }
    }
    // All of them: the superblock before the newest in every place, and the newest in every place.
    for (const from of SUPERBLOCK_OFFSETS) {
      const block = device.block(from);
      for (const to of places) device.put(to, block);
      expect(await outcomeOf(victim)).toBe("exact");
      device.reset();
    }
    const [a, b, c, d] = places.map((place) => device.block(place));
    for (const [index, block] of [b, a, d, c].entries()) device.put(places[index]!, block!);
    expect(await outcomeOf(victim)).toBe("corrupt");
  });

  it("notices journal blocks that were copied over others", async () => {
    const { device, journal } = victim;
    const last = journal.at(-1);
    for (const from of journal) {
      for (const to of [...journal, last! + BLOCK, last! + 2 * BLOCK]) {
        device.put(to, device.block(from));
        const outcome = await outcomeOf(victim);
        const isHarmless = from === to || to > last!;
        // The last block can have been cut off: nothing tells that from one that was copied over.
        expect(outcome).toBe(isHarmless ? "exact" : to === last ? "earlier" : "corrupt");
        device.reset();
      }
    }
  });

  it("does not carry out what a former opening has written", async () => {
    const disk = new OverlayDevice(victim.device);
    const old = victim.journal.map((at) => disk.block(at));
    const bench = new PoolBench([disk]);
    await bench.open();
    const data = bench.pool.volume("data");
    const earlier = [await stateOf(bench)];
    await bench.fill(data, 1, 1, 77);
    earlier.push(await stateOf(bench));
    await bench.drive(bench.pool.sync());
    await bench.fill(data, 1, 1, 78);
    const state = await stateOf(bench);
    const later = { ...victim, device: new OverlayDevice(disk), state, earlier };
    expect(await outcomeOf(later)).toBe("exact");
    for (const shift of [0, 1, 2, 3, 4, 5, 6]) {
      later.device.reset();
      for (const [index, block] of old.entries()) {
        later.device.put(victim.journal[0]! + (index + shift) * BLOCK, block);
      }
      // Over the last blocks of this opening they are the end of its journal, over others a gap, behind them nothing.
      expect([...EXACT_OR_REFUSED, "earlier"]).toContain(await outcomeOf(later));
    }
    later.device.reset();
    for (const [index, block] of old.entries()) {
      later.device.put(JOURNAL_OFFSET_BYTES + (200 + index) * BLOCK, block);
    }
    expect(await outcomeOf(later)).toBe("exact");
  });

  it("notices pages that changed places", async () => {
    const { device, pages } = victim;
    const random = new SeededRandom(seed);
    for (let count = 0; count < 60; count += 1) {
      const [one, other] = [random.pick(pages), random.pick(pages)];
      const block = device.block(one.offsetBytes);
      device.put(one.offsetBytes, device.block(other.offsetBytes));
      device.put(other.offsetBytes, block);
      expect(EXACT_OR_REFUSED).toContain(await outcomeOf(victim));
      device.reset();
    }
  });

  it("notices pages of another pool, of another content, and of an earlier generation", async () => {
    const { device, pages } = victim;
    for (const page of pages) {
      const bytes = device.block(page.offsetBytes);
      sealPage(bytes, ANOTHER_POOL, page);
      device.put(page.offsetBytes, bytes);
      expect(EXACT_OR_REFUSED).toContain(await outcomeOf(victim));
      // Well made, with the wrong content: only its parent can tell.
      bytes.writeUInt8(bytes.readUInt8(64) ^ 1, 64);
      sealPage(bytes, POOL_UUID, page);
      device.put(page.offsetBytes, bytes);
      expect(EXACT_OR_REFUSED).toContain(await outcomeOf(victim));
      device.reset();
    }
    const leaves = pages.filter(({ kind }) => kind === PageKind.leaf);
    expect(leaves.length).toBeGreaterThan(2);
    for (const leaf of leaves) {
      for (const other of leaves) {
        if (other.index !== leaf.index || other === leaf) continue;
        device.put(leaf.offsetBytes, device.block(other.offsetBytes));
        expect(EXACT_OR_REFUSED).toContain(await outcomeOf(victim));
        device.reset();
      }
    }
  });
});

describe("a pool of which the devices were rearranged", () => {
  async function twoDevices(): Promise<PoolBench> {
    const devices = [0, 1].map((index) => new MemoryDevice(14 * MIB, `disk${index}`));
    const bench = await PoolBench.make({ devices });
    const volume = await bench.create("data", 64 * MIB);
    await bench.fill(volume, 0, 60, 5);
    await bench.drive(bench.pool.sync());
    return bench;
  }

  async function opening(devices: readonly MemoryDevice[]): Promise<string> {
    const bench = new PoolBench([...devices]);
    try {
      await bench.open();
    } catch (error) {
      return (error as { kind: string; name: string }).kind;
    }
    const bytes = [0, 59].map((lext) => bench.byteAt(bench.pool.volume("data"), lext));
    return (await Promise.all(bytes)).every((byte) => byte === 5) ? "exact" : "WRONG";
  }

  it("opens in any order, and not without one, with one of another pool, twice, or cut off", async () => {
    const bench = await twoDevices();
    const [first, second] = bench.devices as MemoryDevice[];
    const blank = new MemoryDevice(14 * MIB, "blank");
    expect(await opening([second!, first!])).toBe("exact");
    expect(await opening([first!])).toBe("missing");
    expect(await opening([second!])).toBe("missing");
    expect(await opening([first!, blank])).toBe("missing");
    expect(await opening([first!, first!])).toBe("exists");
    expect(await opening([])).toBe("missing");
    const foreign = new MemoryDevice(14 * MIB, "foreign");
    for (const [slot, at] of SUPERBLOCK_OFFSETS.entries()) {
      const [superblock] = (await readSuperblockCopies(first!)).slice(slot);
      if (superblock === undefined || isFault(superblock.superblock)) continue;
      const bytes = encodeSuperblock({ ...superblock.superblock, poolUuid: ANOTHER_POOL });
      foreign.tryWrite(bytes, 0, BLOCK, at);
    }
    expect(await opening([first!, foreign])).toBe("foreign");
    second!.resize(13 * MIB);
    expect(["corrupt", "missing"]).toContain(await opening([first!, second!]));
  });

  it("does not take a device that was given a new label for the one that is missing", async () => {
    const bench = await twoDevices();
    const [first] = bench.devices as MemoryDevice[];
    const spare = new MemoryDevice(14 * MIB, "spare");
    const another = await PoolBench.make({ devices: [new MemoryDevice(14 * MIB, "x")] });
    await another.drive(another.pool.addDevice(spare, { uuid: uuidOf(900), isZero: true }));
    expect(await opening([first!, spare])).toBe("missing");
  });
});
