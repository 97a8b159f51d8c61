import { describe, expect, it } from "vitest";
import type { MemoryDevice } from "../../../src/device/memory-device.ts";
import { recover } from "../../../src/thin/checkpoint/recovery.ts";
import { SUPERBLOCK_OFFSETS, tailOffsets } from "../../../src/thin/format/layout.ts";
import { appendRecord, syncBarrier } from "../../../src/thin/log/promises.ts";
import { auditState } from "../../../src/thin/map/audit.ts";
import { SeededRandom } from "../../../src/util/random.ts";
import {
  appendSome,
  attributesOf,
  copyOf,
  dump,
  formatted,
  MIB,
  opened,
  RecordMaker,
  recorded,
} from "./fixture.ts";

/** Both copies of a generation's superblock are lost. */
function wipeSlot(device: MemoryDevice, generation: number): void {
  for (const offsets of [SUPERBLOCK_OFFSETS, tailOffsets(device.capacityBytes)]) {
    device.tryWrite(Buffer.alloc(4096, 7), 0, 4096, offsets[generation % 2]!);
  }
}

describe("recovery", () => {
  it("opens a pool that was just made, and one that was closed", async () => {
    const [device] = await formatted();
    const first = await opened([device!], 1);
    expect(first.report).toEqual({
      generation: 1,
      fellBack: false,
      sameBoot: false,
      wasClean: true,
      replayed: 0,
      discarded: 0,
    });
    expect(first.journal.epoch).toBe(2);
    await appendRecord(first.journal, { kind: "create", attributes: attributesOf(1) });
    await appendSome(first, new RecordMaker(first.state, new SeededRandom(3)), 40);
    const before = await dump(first.state);
    await first.checkpointer.close();
    const second = await opened([device!], 1);
    expect(second.report).toMatchObject({ wasClean: true, replayed: 0, sameBoot: true });
    expect(second.journal.epoch).toBe(3);
    expect(await dump(second.state)).toBe(before);
  });

  it("carries the whole journal out after a kill, and what is covered after a power loss", async () => {
    const [device] = await formatted();
    const pool = await opened([device!], 1);
    const maker = new RecordMaker(pool.state, new SeededRandom(4));
    await appendSome(pool, maker, 30);
    await syncBarrier(pool.barrier);
    const durable = await dump(pool.state);
    const extent = pool.state.space.allocate(null, 1);
    const [volume] = pool.state.volumes.keys();
    await appendRecord(pool.journal, {
      kind: "map",
      volume: volume!,
      lext: 5,
      phys: extent,
      run: 1,
      safe: false,
    });
    const all = await dump(pool.state);
    const other = copyOf(device!);
    const killed = await opened([device!], 1);
    expect(await dump(killed.state)).toBe(all);
    expect(killed.report).toMatchObject({ sameBoot: true, discarded: 0 });
    const cut = await opened([other], 2);
    expect(await dump(cut.state)).toBe(durable);
    expect(cut.report).toMatchObject({ sameBoot: false, discarded: 1 });
  });

  it("does not bring back what it discarded", async () => {
    const [device] = await formatted();
    const pool = await opened([device!], 1);
    await appendRecord(pool.journal, { kind: "create", attributes: attributesOf(1) });
    await appendRecord(pool.journal, { kind: "create", attributes: attributesOf(2) });
    const cut = await opened([device!], 2);
    expect(cut.report).toMatchObject({ replayed: 0, discarded: 2 });
    await appendRecord(cut.journal, { kind: "create", attributes: attributesOf(1) });
    const again = await opened([device!], 2);
    expect([...again.state.volumes.keys()]).toEqual([1]);
  });

  it("flushes before it writes, and writes the superblock between two flushes", async () => {
    const [device] = await formatted();
    const recorder = recorded(device!);
    await opened([recorder], 1);
    const kinds = recorder.events.map((event) =>
      event === "flush"
        ? event
        : event.offsetBytes < 8 * MIB || event.offsetBytes > 14 * MIB
          ? "superblock"
          : "page",
    );
    expect(kinds).toEqual(["flush", "page", "flush", "superblock", "superblock", "flush"]);
  });

  it("falls back to the checkpoint before the last, with the longer journal", async () => {
    const [device] = await formatted();
    const pool = await opened([device!], 1);
    const maker = new RecordMaker(pool.state, new SeededRandom(6));
    await appendSome(pool, maker, 20);
    await pool.checkpointer.run("asked");
    await appendSome(pool, maker, 20);
    await pool.checkpointer.run("asked");
    const { root, generation } = pool.superblocks.last;
    const expected = await dump(pool.state);
    const offset = pool.state.addresses.offsetOf(0) + root.block * 4096;
    device!.tryWrite(Buffer.from([1, 2, 3]), 0, 3, offset + 100);
    const back = await opened([device!], 2);
    expect(back.report).toMatchObject({ generation: generation - 1, fellBack: true, discarded: 0 });
    expect(await dump(back.state)).toBe(expected);
    expect(back.checkpointer.generation).toBe(generation + 2);
    await back.checkpointer.close();
    expect(await dump((await opened([device!], 3)).state)).toBe(expected);
  });

  it.each([1, 2, 3])(
    "falls back after a recovery that was cut off, too (root %i)",
    async (place) => {
      const [device] = await formatted();
      const pool = await opened([device!], 1);
      const maker = new RecordMaker(pool.state, new SeededRandom(12));
      for (let round = 0; round < 4 || pool.superblocks.last.root.block !== place; round += 1) {
        await appendSome(pool, maker, 30);
        await pool.checkpointer.run("asked");
      }
      // So few that no checkpoint follows.
      await appendSome(pool, maker, 3);
      const { root, generation } = pool.superblocks.last;
      expect(root.block).toBe(place);
      const expected = await dump(pool.state);
      const recorder = recorded(copyOf(device!));
      await opened([recorder], 1);
      // Up to the superblock: a barrier, pages of maps, and the root.
      const isHead = (offsetBytes: number): boolean => offsetBytes < 8 * MIB;
      const cut = recorder.events.findIndex(
        (event) => event !== "flush" && isHead(event.offsetBytes),
      );
      expect(cut).toBeGreaterThan(3);
      for (const event of recorder.events.slice(0, cut)) {
        if (event === "flush") continue;
        device!.tryWrite(event.bytes, 0, event.bytes.length, event.offsetBytes);
      }
      const offset = pool.state.addresses.offsetOf(0) + root.block * 4096;
      device!.tryWrite(Buffer.from([1, 2, 3]), 0, 3, offset + 100);
      const back = await opened([device!], 1);
      expect(back.report).toMatchObject({ generation: generation - 1, fellBack: true });
      expect(await dump(back.state)).toBe(expected);
      expect(await auditState(back.state)).toEqual([]);
    },
  );

  it("gives back what it kept for that when its checkpoint is durable", async () => {
    const [device] = await formatted();
    const pool = await opened([device!], 1);
    const maker = new RecordMaker(pool.state, new SeededRandom(13));
    for (let round = 0; round < 4; round += 1) {
      await appendSome(pool, maker, 30);
      await pool.checkpointer.run("asked");
    }
    const back = await opened([device!], 1);
    expect(await auditState(back.state)).toEqual([]);
    for (let round = 0; round < 2; round += 1) await back.checkpointer.run("asked");
    await back.state.space.idle();
    const { metadata } = back.state.space;
    const fresh = await opened([device!], 1, { readOnly: true });
    expect(metadata.usedBlocks - metadata.blocksToCome).toBe(fresh.state.space.metadata.usedBlocks);
    // The volumes page and the directory of the checkpoint before.
    expect(metadata.blocksToCome).toBe(2);
    expect(await auditState(back.state)).toEqual([]);
  });

  it("refuses, and changes nothing, where the epoch before is all that is left", async () => {
    const [device] = await formatted();
    const pool = await opened([device!], 1);
    await pool.checkpointer.close();
    const { root } = (await opened([device!], 1)).superblocks.last;
    const offset = pool.state.addresses.offsetOf(0) + root.block * 4096;
    device!.tryWrite(Buffer.from([1, 2, 3]), 0, 3, offset + 100);
    const recorder = recorded(device!);
    await expect(opened([recorder], 1)).rejects.toMatchObject({
      kind: "corrupt",
      message: expect.stringMatching(/thinlun pool check/) as string,
    });
    expect(recorder.events).toEqual(["flush"]);
  });

  it("falls back to what the newest checkpoint held, where its superblock and the power are gone", async () => {
    const [device] = await formatted();
    const pool = await opened([device!], 1);
    const maker = new RecordMaker(pool.state, new SeededRandom(11));
    await appendRecord(pool.journal, maker.next());
    await pool.checkpointer.run("asked");
    await appendSome(pool, maker, 10);
    const safe = { kind: "unmap", volume: [...pool.state.volumes.keys()][0]!, run: 1 } as const;
    await appendRecord(pool.journal, { ...safe, lext: 3000 });
    // It makes the records before it durable, which no barrier in the journal has covered.
    await pool.checkpointer.run("asked");
    const expected = await dump(pool.state);
    const { generation } = pool.checkpointer;
    wipeSlot(device!, generation);
    const back = await opened([device!], 2);
    expect(back.report).toMatchObject({ generation: generation - 1, discarded: 0 });
    expect(await dump(back.state)).toBe(expected);
    // Newer than the one that is lost, and not over the one that is left.
    expect(back.checkpointer.generation).toBe(generation + 2);
  });

  it("never falls back to an earlier opening once the last one has written something", async () => {
    const [device] = await formatted();
    await (await opened([device!], 1)).checkpointer.close();
    const pool = await opened([device!], 1);
    const untouched = copyOf(device!);
    wipeSlot(untouched, pool.checkpointer.generation);
    expect((await opened([untouched], 1)).report.generation).toBe(pool.checkpointer.generation - 1);
    await appendRecord(pool.journal, { kind: "create", attributes: attributesOf(7) });
    wipeSlot(device!, pool.checkpointer.generation);
    for (const boot of [1, 2]) {
      await expect(opened([device!], boot)).rejects.toMatchObject({
        kind: "corrupt",
        message: expect.stringMatching(/superblock is lost/) as string,
      });
    }
  });

  it("opens to look only without writing or flushing", async () => {
    const [device] = await formatted();
    const pool = await opened([device!], 1);
    await appendSome(pool, new RecordMaker(pool.state, new SeededRandom(8)), 25);
    const recorder = recorded(device!);
    const view = await opened([recorder], 1, { readOnly: true });
    expect(await dump(view.state)).toBe(await dump(pool.state));
    expect(recorder.events).toEqual([]);
  });

  it("needs any one of the four copies of the newest superblock", async () => {
    const [device] = await formatted();
    const pool = await opened([device!], 1);
    await appendSome(pool, new RecordMaker(pool.state, new SeededRandom(9)), 10);
    const expected = await dump(pool.state);
    const slot = pool.checkpointer.generation % 2;
    for (const keep of [SUPERBLOCK_OFFSETS[slot], tailOffsets(16 * MIB)[slot]]) {
      const copy = copyOf(device!);
      for (const offset of [...SUPERBLOCK_OFFSETS, ...tailOffsets(16 * MIB)]) {
        if (offset !== keep) copy.tryWrite(Buffer.alloc(4096, 7), 0, 4096, offset);
      }
      expect(await dump((await opened([copy], 1)).state)).toBe(expected);
    }
  });

  it("needs a superblock", async () => {
    const [device] = await formatted();
    await expect(
      recover({ ...({} as Parameters<typeof recover>[0]), superblocks: [], devices: [device!] }),
    ).rejects.toMatchObject({ kind: "corrupt" });
  });
});
