import { describe, expect, it } from "vitest";
import {
  RangeOperation,
  type RangeCallback,
  type RangeOutcome,
} from "../../native-free/hole-punch.ts";
import { ZEROES_PIECE_BYTES } from "../../src/device/limits.ts";
import { RangeWork, type Cleaner } from "../../src/device/range-work.ts";
import { IoError } from "../../src/util/io-error.ts";
import { IoKind, type IoRequest } from "../../src/util/io-request.ts";
import { TestRequest } from "./test-request.ts";

const MIB = 1024 * 1024;

/** Answers as the test has it, by operation; the last answer stays. */
class ScriptedCleaner implements Cleaner {
  readonly asked: string[] = [];
  readonly answers = new Map<RangeOperation, RangeOutcome[]>();
  hasRoom = true;

  clear(operation: RangeOperation, offset: number, length: number, done: RangeCallback): void {
    this.asked.push(`${operation} ${offset} ${length}`);
    const answers = this.answers.get(operation) ?? [""];
    const outcome = (answers.length > 1 ? answers.shift() : answers[0]) ?? "";
    queueMicrotask(() => done(outcome, "as scripted"));
  }
}

class Bench {
  readonly cleaner = new ScriptedCleaner();
  readonly pieces: string[] = [];
  readonly work: RangeWork;
  flushes = 0;
  fillError: IoError | null = null;
  refusal: IoError | null = null;

  constructor(isBlockDevice: boolean, modifiedBlockBytes: number = 0) {
    const host = {
      name: "disk",
      isBlockDevice,
      modifiedBlockBytes,
      refusal: () => this.refusal,
      submitZeroes: (piece: IoRequest) => {
        this.pieces.push(`${piece.offsetBytes} ${piece.lengthBytes}`);
        piece.done(this.fillError);
      },
      flushThen: (callback: (error: IoError | null) => void) => {
        this.flushes += 1;
        callback(null);
      },
      cleared: (request: IoRequest, error: IoError | null) => request.done(error),
    };
    this.work = new RangeWork(host, this.cleaner);
  }

  async run(kind: IoKind, offset: number, length: number): Promise<IoError | null> {
    const request = new TestRequest(kind, offset, length);
    this.work.submit(request);
    await request.ended;
    expect(request.doneCount).toBe(1);
    return request.error;
  }
}

describe("RangeWork", () => {
  it("asks for what suits a file or a device", async () => {
    const [file, device] = [new Bench(false), new Bench(true)];
    for (const bench of [file, device]) {
      expect(await bench.run(IoKind.discard, 0, MIB)).toBeNull();
      expect(await bench.run(IoKind.writeZeroes, MIB, MIB)).toBeNull();
    }
    expect(file.cleaner.asked).toEqual(["punch 0 1048576", "zero 1048576 1048576"]);
    expect(device.cleaner.asked).toEqual(["discard 0 1048576", "zero-device 1048576 1048576"]);
  });

  it("tries the next way, and does not come back to one that is unsupported", async () => {
    const bench = new Bench(false);
    bench.cleaner.answers.set(RangeOperation.zeroFile, ["unsupported"]);
    await bench.run(IoKind.writeZeroes, 0, MIB);
    await bench.run(IoKind.writeZeroes, 0, MIB);
    expect(bench.cleaner.asked).toEqual(["zero 0 1048576", "punch 0 1048576", "punch 0 1048576"]);
    expect(bench.pieces).toEqual([]);
  });

  it("writes zeros in pieces when no tool can", async () => {
    const bench = new Bench(true);
    bench.cleaner.answers.set(RangeOperation.zeroDevice, ["EINVAL"]);
    expect(await bench.run(IoKind.writeZeroes, 512, 2 * ZEROES_PIECE_BYTES + 512)).toBeNull();
    const second = 512 + ZEROES_PIECE_BYTES;
    expect(bench.pieces).toEqual([
      `512 ${ZEROES_PIECE_BYTES}`,
      `${second} ${ZEROES_PIECE_BYTES}`,
      `${second + ZEROES_PIECE_BYTES} 512`,
    ]);
  });

  it("writes few zeros without asking anybody", async () => {
    const bench = new Bench(false);
    expect(await bench.run(IoKind.writeZeroes, 0, 4096)).toBeNull();
    expect([bench.cleaner.asked, bench.pieces]).toEqual([[], ["0 4096"]]);
  });

  it("leaves no part of a block to a tool where the other part may be written back meanwhile", async () => {
    const bench = new Bench(false, 4096);
    expect(await bench.run(IoKind.discard, 512, MIB)).toBeNull();
    expect(await bench.run(IoKind.discard, 8192, 4608)).toBeNull();
    expect(await bench.run(IoKind.writeZeroes, MIB - 512, MIB + 512)).toBeNull();
    expect(await bench.run(IoKind.discard, 1024, 6144)).toBeNull();
    expect(bench.cleaner.asked).toEqual([
      `punch 4096 ${MIB - 4096}`,
      "punch 8192 4096",
      `zero ${MIB} ${MIB}`,
    ]);
    const edges = ["512 3584", `${MIB} 512`, "12288 512", `${MIB - 512} 512`];
    expect(bench.pieces).toEqual([...edges, "1024 6144"]);
  });

  it("leaves the middle alone when an edge cannot be written", async () => {
    const bench = new Bench(false, 4096);
    bench.fillError = new IoError("medium", "worn", { object: "disk" });
    expect(await bench.run(IoKind.discard, 512, MIB)).toBe(bench.fillError);
    expect(bench.cleaner.asked).toEqual([]);
  });

  it("stops writing at the first error", async () => {
    const bench = new Bench(true);
    bench.cleaner.answers.set(RangeOperation.zeroDevice, ["unsupported"]);
    bench.fillError = new IoError("space", "full", { object: "disk" });
    expect(await bench.run(IoKind.writeZeroes, 0, 8 * MIB)).toBe(bench.fillError);
    expect(bench.pieces).toHaveLength(1);
  });

  it("flushes and asks again when the device is busy, but not for ever", async () => {
    const bench = new Bench(true);
    bench.cleaner.answers.set(RangeOperation.discardDevice, ["EBUSY", ""]);
    expect(await bench.run(IoKind.discard, 0, MIB)).toBeNull();
    expect([bench.flushes, bench.cleaner.asked.length]).toEqual([1, 2]);
    bench.cleaner.answers.set(RangeOperation.discardDevice, ["EBUSY"]);
    expect(await bench.run(IoKind.discard, 0, MIB)).toMatchObject({ kind: "medium" });
    expect(bench.flushes).toBe(4);
  });

  it("clears nothing for whom abandoned it while it waited", async () => {
    const bench = new Bench(false);
    bench.cleaner.hasRoom = false;
    const late = new TestRequest(IoKind.discard, 0, MIB);
    bench.work.submit(late);
    late.isAbandoned = true;
    bench.cleaner.hasRoom = true;
    await bench.run(IoKind.discard, 8 * MIB, MIB);
    await late.ended;
    expect(bench.cleaner.asked).toEqual([`punch ${8 * MIB} ${MIB}`]);
    expect(late.error).toMatchObject({ kind: "gone" });
  });

  it("clears nothing more once the device is stopped: neither what waits, nor the rest of what was begun", async () => {
    const bench = new Bench(false, 4096);
    bench.cleaner.answers.set(RangeOperation.punchHole, ["EBUSY"]);
    const begun = bench.run(IoKind.discard, 0, MIB);
    const edged = bench.run(IoKind.discard, 512, MIB);
    bench.cleaner.hasRoom = false;
    const late = bench.run(IoKind.discard, 8 * MIB, MIB);
    const asked = bench.cleaner.asked.length;
    bench.refusal = new IoError("failed", "another host has it", { object: "pool" });
    bench.cleaner.hasRoom = true;
    const ends = await Promise.all([begun, edged, late, bench.run(IoKind.writeZeroes, 0, 4096)]);
    expect(ends).toEqual(ends.map(() => bench.refusal));
    expect([bench.cleaner.asked.length, bench.pieces]).toEqual([asked, ["512 3584", `${MIB} 512`]]);
  });

  it("answers what the tool did not begin with what the device refuses writes with", async () => {
    const bench = new Bench(false);
    bench.cleaner.answers.set(RangeOperation.punchHole, ["stopped"]);
    const ended = bench.run(IoKind.discard, 0, MIB);
    bench.refusal = new IoError("failed", "another host has it", { object: "pool" });
    expect(await ended).toBe(bench.refusal);
  });

  it("writes the zeros itself where the device stays busy", async () => {
    const bench = new Bench(true);
    bench.cleaner.answers.set(RangeOperation.zeroDevice, ["EBUSY"]);
    expect(await bench.run(IoKind.writeZeroes, 0, MIB)).toBeNull();
    expect([bench.flushes, bench.pieces]).toEqual([3, [`0 ${MIB}`]]);
  });

  it.each([
    ["unsupported", "unsupported"],
    ["died", "medium"],
    ["ENOSPC", "space"],
    ["EROFS", "read-only"],
    ["ENODEV", "gone"],
  ] as const)("reports %s as %s", async (outcome, kind) => {
    const bench = new Bench(false);
    bench.cleaner.answers.set(RangeOperation.punchHole, [outcome]);
    const error = await bench.run(IoKind.discard, 4096, MIB);
    expect(error).toMatchObject({ kind, object: "disk", offsetBytes: 4096 });
  });

  it("keeps what finds no room, in order, and is idle when all is done", async () => {
    const bench = new Bench(false);
    const first = bench.run(IoKind.discard, 0, MIB);
    bench.cleaner.hasRoom = false;
    const others = [1, 2, 3].map((index) => bench.run(IoKind.discard, index * MIB, MIB));
    expect(bench.cleaner.asked).toHaveLength(1);
    let idle = false;
    bench.work.whenIdle(() => (idle = true));
    expect(idle).toBe(false);
    bench.cleaner.hasRoom = true;
    await Promise.all([first, ...others]);
    expect(bench.cleaner.asked.map((line) => line.split(" ")[1])).toEqual(
      [0, 1, 2, 3].map((index) => String(index * MIB)),
    );
    expect(idle).toBe(true);
  });
});
