import { describe, expect, it } from "vitest";
import { ErrorFilter } from "../../../src/device/error-filter.ts";
import { IoKind } from "../../../src/util/io-request.ts";
import { appendRecord } from "../../../src/thin/log/promises.ts";
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
} from "./fixture.ts";

describe("a checkpointer", () => {
  it("shares a checkpoint that has not begun, and no other", async () => {
    const [device] = await formatted();
    const { checkpointer } = await opened([device!]);
    const before = checkpointer.generation;
    const first = checkpointer.run("asked");
    expect(checkpointer.isRunning).toBe(true);
    await Promise.all([first, checkpointer.run("asked"), checkpointer.run("asked")]);
    expect(checkpointer.generation).toBe(before + 2);
    expect(checkpointer.isRunning).toBe(false);
  });

  it("lets nobody in between the end of one and the begin of the next: simulation, profile full, seed 77861", async () => {
    const [device] = await formatted();
    const { checkpointer } = await opened([device!]);
    const before = checkpointer.generation;
    const first = checkpointer.run("asked");
    const next = checkpointer.run("asked");
    // Runs as soon as the first has ended, which is earlier than what waited for its end in other ways.
    const third = first.then(async () => {
      checkpointer.wanted();
      await checkpointer.run("asked");
    });
    await Promise.all([next, third]);
    expect(checkpointer.generation).toBe(before + 2);
    expect(checkpointer.isRunning).toBe(false);
  });

  it("goes on for ever in the space that it has: places become free again", async () => {
    const [device] = await formatted([16 * MIB]);
    const pool = await opened([device!]);
    const maker = new RecordMaker(pool.state, new SeededRandom(2));
    for (let round = 0; round < 100; round += 1) {
      await appendSome(pool, maker, 5);
      await pool.checkpointer.run("asked");
    }
    const { usedBlocks } = pool.state.space.metadata;
    const live = await opened([device!], 1, { readOnly: true });
    // What the checkpoint before needs comes on top: pages that the last few records have changed. A block lost in each would be seen.
    expect(usedBlocks - live.state.space.metadata.usedBlocks).toBeLessThan(100);
  });

  it("makes room in a journal that is full, as often as that takes", async () => {
    const [device] = await formatted();
    const pool = await opened([device!]);
    await appendRecord(pool.journal, { kind: "create", attributes: attributesOf(1) });
    const before = pool.checkpointer.generation;
    for (let index = 0; index < 3 * pool.journal.blocks; index += 1) {
      await appendRecord(pool.journal, { kind: "unmap", volume: 1, lext: index % 1000, run: 1 });
    }
    expect(pool.checkpointer.generation - before).toBeGreaterThanOrEqual(3);
    expect(await dump((await opened([copyOf(device!)])).state)).toBe(await dump(pool.state));
    // The ring still has what the checkpoint before the last needs.
    const { root } = pool.superblocks.last;
    const offset = pool.state.addresses.offsetOf(0) + root.block * 4096;
    device!.tryWrite(Buffer.from([1, 2, 3]), 0, 3, offset + 100);
    const back = await opened([device!]);
    expect(back.report.fellBack).toBe(true);
    expect(await dump(back.state)).toBe(await dump(pool.state));
  });

  it("has one to fall back to from the second of an opening on: those before are of another epoch (rule L)", async () => {
    const [device] = await formatted();
    const pool = await opened([device!]);
    const breakRoot = (): void => {
      const { block } = pool.superblocks.last.root;
      const offset = pool.state.addresses.offsetOf(0) + block * 4096;
      device!.tryWrite(Buffer.from([1, 2, 3]), 0, 3, offset + 100);
    };
    await appendRecord(pool.journal, { kind: "create", attributes: attributesOf(1) });
    const { hasWayBack } = pool.checkpointer;
    await pool.checkpointer.run("asked");
    expect([hasWayBack, pool.checkpointer.hasWayBack]).toEqual([false, true]);
    breakRoot();
    const back = await opened([copyOf(device!)]);
    expect(back.report.fellBack).toBe(true);
    expect(await dump(back.state)).toBe(await dump(pool.state));
    expect(back.checkpointer.hasWayBack).toBe(false);
  });

  it("makes room for dirty pages", async () => {
    const [device] = await formatted();
    const pool = await opened([device!]);
    const sizeBytes = 4096 * MIB;
    await appendRecord(pool.journal, { kind: "create", attributes: attributesOf(1, sizeBytes) });
    for (let leaf = 0; leaf < 200; leaf += 1) {
      const phys = pool.state.space.allocate(null, 1);
      const lext = leaf * 1008;
      await appendRecord(pool.journal, { kind: "map", volume: 1, lext, phys, run: 1, safe: false });
    }
    expect(pool.state.leaves.dirtyPages).toBeLessThan(200);
    expect(await dump((await opened([device!])).state)).toBe(await dump(pool.state));
  });

  for (const kind of [IoKind.write, IoKind.flush]) {
    it(`stops the pool when a request of kind ${kind} fails`, async () => {
      const [device] = await formatted();
      const failing = new ErrorFilter(device!);
      const pool = await opened([failing]);
      await appendRecord(pool.journal, { kind: "create", attributes: attributesOf(1) });
      const { generation } = pool.checkpointer;
      failing.setRules([{ error: "medium", kind }]);
      await expect(pool.checkpointer.run("asked")).rejects.toMatchObject({ kind: "failed" });
      expect(pool.health.failure?.kind).toBe("failed");
      failing.setRules([]);
      await expect(pool.checkpointer.run("asked")).rejects.toBe(pool.health.failure);
      expect(pool.checkpointer.generation).toBe(generation);
      await expect(appendRecord(pool.journal, { kind: "delete", volume: 1 })).rejects.toBe(
        pool.health.failure,
      );
    });
  }

  it("says at an orderly end that nobody has the pool", async () => {
    const [device] = await formatted();
    const pool = await opened([device!], 1);
    expect(pool.superblocks.last).toMatchObject({ clean: false, owner: { state: "active" } });
    await pool.checkpointer.close();
    expect(pool.superblocks.last).toMatchObject({ clean: true, owner: { state: "clean" } });
  });
});
