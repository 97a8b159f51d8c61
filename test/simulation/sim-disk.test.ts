import { describe, expect, it } from "vitest";
import { IoError } from "../../src/util/io-error.ts";
import { discard, flush, readBytes, writeBytes } from "../../src/util/io-request.ts";
import type { FaultKind } from "./faults.ts";
import { Machine, type MachineOptions } from "./machine.ts";
import { Media, PAGE_BYTES } from "./media.ts";
import { breakage } from "./sim-disk.ts";

const BYTES = 64 * PAGE_BYTES;

function machineOf(
  seed: number,
  { discardZeroes = true, copiesOnWrite = false }: Partial<MachineOptions> = {},
): Machine {
  const media = new Media(BYTES, 512);
  return new Machine([media], seed, {
    discardZeroes,
    copiesOnWrite,
    isMetadata: () => true,
    isPage: () => false,
    isJournal: () => false,
  });
}

function fault(machine: Machine, kind: FaultKind): void {
  machine.setFaults([{ kind, device: 0, after: 0, count: 1 }]);
}

async function contentOf(machine: Machine, lengthBytes: number): Promise<Buffer> {
  const end = await machine.run(readBytes(machine.disks[0]!, 0, lengthBytes));
  if (end === "dead") throw new Error("dead");
  return end.value;
}

describe("the simulated disk", () => {
  it("writes, flushes and reads in virtual time", async () => {
    const machine = machineOf(1);
    const disk = machine.disks[0]!;
    await machine.run(writeBytes(disk, 0, Buffer.alloc(PAGE_BYTES, 9)));
    await machine.run(flush(disk));
    expect((await contentOf(machine, PAGE_BYTES))[5]).toBe(9);
    expect(machine.media[0]?.pendingPages).toBe(0);
    expect(machine.scheduler.nowMs()).toBeGreaterThan(1000);
  });

  it("completes in different orders for different seeds, and the same for one", async () => {
    const orderOf = async (seed: number): Promise<string> => {
      const machine = machineOf(seed);
      const order: number[] = [];
      const writes = Array.from({ length: 6 }, (_, index) =>
        writeBytes(machine.disks[0]!, index * PAGE_BYTES, Buffer.alloc(512)).then(() =>
          order.push(index),
        ),
      );
      await machine.run(Promise.all(writes));
      return order.join();
    };
    const orders = new Set<string>();
    for (let seed = 0; seed < 20; seed += 1) orders.add(await orderOf(seed));
    expect(orders.size).toBeGreaterThan(10);
    expect(await orderOf(3)).toBe(await orderOf(3));
  });

  it("takes every number of pages of a write that a kill cuts off", async () => {
    const lengths = new Set<number>();
    for (let seed = 0; seed < 200; seed += 1) {
      const machine = machineOf(seed);
      machine.crashAfter(0);
      await machine.run(writeBytes(machine.disks[0]!, 0, Buffer.alloc(3 * PAGE_BYTES, 1)));
      machine.crash("kill");
      const bytes = Buffer.alloc(3 * PAGE_BYTES);
      machine.media[0]!.read(bytes, 0, bytes.length, 0);
      lengths.add(bytes.filter((byte) => byte === 1).length / PAGE_BYTES);
    }
    expect([...lengths].toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3]);
  });

  it("is dead to a process that was killed", async () => {
    const machine = machineOf(1);
    const disk = machine.disks[0]!;
    machine.crash("kill");
    expect(disk.tryWrite(Buffer.alloc(512, 1), 0, 512, 0)).toBe(false);
    disk.submit({ done: () => expect.fail("a dead process hears nothing") } as never);
    expect((await contentOf(machine, 512))[0]).toBe(0);
  });

  it.each(["readError", "writeError", "flushError", "noSpace"] as const)(
    "fails with %s",
    async (kind) => {
      const machine = machineOf(2);
      const disk = machine.disks[0]!;
      fault(machine, kind);
      expect(disk.tryWrite(Buffer.alloc(512), 0, 512, 0)).toBe(
        kind === "flushError" || kind === "readError",
      );
      const run = async (): Promise<void> => {
        await machine.run(writeBytes(disk, 0, Buffer.alloc(512, 1)));
        await machine.run(flush(disk));
        await contentOf(machine, 512);
      };
      await expect(run()).rejects.toThrow(IoError);
      expect(machine.faults.injected.get(kind)).toBe(1);
    },
  );

  it("has room for what it writes over, unless it copies on write", async () => {
    for (const copiesOnWrite of [false, true]) {
      const machine = machineOf(2, { copiesOnWrite });
      const disk = machine.disks[0]!;
      await machine.run(writeBytes(disk, 0, Buffer.alloc(PAGE_BYTES, 1)));
      fault(machine, "noSpace");
      const again = machine.run(writeBytes(disk, 0, Buffer.alloc(PAGE_BYTES, 2)));
      if (copiesOnWrite) await expect(again).rejects.toMatchObject({ kind: "space" });
      else await again;
      expect((await contentOf(machine, 512))[0]).toBe(copiesOnWrite ? 1 : 2);
    }
  });

  it("begins no write that waits when the process may not write any more, and calls it a violation where one is", async () => {
    const ends = new Set<string>();
    for (const refusesNothing of [false, true]) {
      for (let seed = 0; seed < 20; seed += 1) {
        const machine = machineOf(seed);
        const disk = machine.disks[0]!;
        const writing = writeBytes(disk, 0, Buffer.alloc(PAGE_BYTES, 1));
        breakage.refusesNothing = refusesNothing;
        disk.refuseWrites(new IoError("failed", "fenced", { object: "pool" }));
        breakage.refusesNothing = false;
        machine.isFenced = true;
        const end = await machine.run(writing).then(
          () => "done",
          (error: Error) => error.message,
        );
        ends.add(`${refusesNothing ? "unheard" : "heard"}: ${end}`);
      }
    }
    expect(ends).toContain("heard: pool: fenced");
    expect(ends).toContain("unheard: a pool that was fenced writes to disk0");
    expect(ends).not.toContain("heard: a pool that was fenced writes to disk0");
  });

  it("loses and misdirects writes when told to, and says nothing", async () => {
    for (const kind of ["lostWrite", "misdirectedWrite"] as const) {
      const machine = machineOf(2);
      const disk = machine.disks[0]!;
      for (let page = 0; page < 10; page += 1) {
        await machine.run(writeBytes(disk, page * PAGE_BYTES, Buffer.alloc(PAGE_BYTES, 1)));
      }
      fault(machine, kind);
      await machine.run(writeBytes(disk, 0, Buffer.alloc(PAGE_BYTES, 2)));
      expect((await contentOf(machine, 512))[0]).toBe(1);
      const all = await contentOf(machine, 10 * PAGE_BYTES);
      expect(all.includes(2)).toBe(kind === "misdirectedWrite");
    }
  });

  it("promises zeros after a discard only where its traits do", async () => {
    const kinds = new Set<string>();
    for (let seed = 0; seed < 20; seed += 1) {
      for (const isZero of [true, false]) {
        const machine = machineOf(seed, { discardZeroes: isZero });
        const disk = machine.disks[0]!;
        await machine.run(writeBytes(disk, 0, Buffer.alloc(PAGE_BYTES, 1)));
        await machine.run(discard(disk, 0, PAGE_BYTES));
        const content = await contentOf(machine, PAGE_BYTES);
        const what = content.every((byte) => byte === 0) ? "zeros" : "else";
        kinds.add(`${disk.traits.discardZeroes ? "zeros promised" : "nothing promised"}: ${what}`);
      }
    }
    expect([...kinds].toSorted()).toEqual(["nothing promised: else", "zeros promised: zeros"]);
  });
});
