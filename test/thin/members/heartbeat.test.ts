import { rmSync } from "node:fs";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { DelayFilter } from "../../../src/device/delay-filter.ts";
import { ErrorFilter } from "../../../src/device/error-filter.ts";
import type { BlockDevice } from "../../../src/device/block-device.ts";
import { FileDevice } from "../../../src/device/file-device.ts";
import { createImageFile } from "../../../src/device/image-file.ts";
import { MemoryDevice } from "../../../src/device/memory-device.ts";
import { isFault } from "../../../src/thin/format/fault.ts";
import { HEARTBEAT_OFFSET } from "../../../src/thin/format/layout.ts";
import { decodeHeartbeat, encodeHeartbeat } from "../../../src/thin/members/heartbeat-block.ts";
import { Heartbeat } from "../../../src/thin/members/heartbeat.ts";
import type { PoolError } from "../../../src/thin/pool-error.ts";
import { IoKind, readBytes, writeBytes } from "../../../src/util/io-request.ts";
import { ControlledCalls } from "../../device/controlled-calls.ts";
import { scratchFolder } from "../../device/loop-device.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { passSeconds } from "./support/passing-time.ts";
import { testUuid } from "./support/superblock.ts";

const MIB = 1024 * 1024;
const poolUuid = testUuid(1);

/** A disk that takes its time for each call: with eight at a time, 200 of them a second. */
class SlowCalls extends ControlledCalls {
  static readonly ms = 40;
  readonly #clock: ManualClock;

  constructor(clock: ManualClock) {
    super();
    this.#clock = clock;
  }

  override read(...[fd, buffers, at, done]: Parameters<ControlledCalls["read"]>): void {
    this.#clock.after(SlowCalls.ms, () => {
      const [buffer] = buffers;
      done(null, this.readSync(fd, buffer!, 0, buffer!.length, at));
    });
  }

  override write(...[fd, buffers, at, done]: Parameters<ControlledCalls["write"]>): void {
    this.#clock.after(SlowCalls.ms, () => {
      const [buffer] = buffers;
      done(null, this.writeSync(fd, buffer!, 0, buffer!.length, at));
    });
  }
}

class Bench {
  readonly clock = new ManualClock();
  readonly disk: MemoryDevice = new MemoryDevice(16 * MIB);
  readonly fenced: PoolError[] = [];
  suspendedMs: number = 0;

  beat(device: BlockDevice = this.disk, nonce: string = testUuid(9)): Heartbeat {
    const owner = { hostId: testUuid(8), bootId: testUuid(7), nonce, pid: 1, openedAtSeconds: 1 };
    const fence = (reason: PoolError): void => void this.fenced.push(reason);
    const uptimeMs = (): number => this.clock.nowMs() + this.suspendedMs;
    return new Heartbeat({ device, poolUuid, owner, clock: this.clock, uptimeMs, fence });
  }

  async counter(): Promise<number> {
    const block = decodeHeartbeat(await readBytes(this.disk, HEARTBEAT_OFFSET, 4096));
    return isFault(block) ? -1 : block.counter;
  }
}

describe("the heartbeat of an owner", () => {
  it("shows life every second until it is stopped", async () => {
    const bench = new Bench();
    const heartbeat = bench.beat();
    await heartbeat.start();
    expect(await bench.counter()).toBe(0);
    await passSeconds(bench.clock, 7);
    expect(await bench.counter()).toBe(7);
    await heartbeat.stop();
    await passSeconds(bench.clock, 20);
    expect(await bench.counter()).toBe(7);
    expect(bench.fenced).toEqual([]);
  });

  it("writes so that other hosts see it", async () => {
    const bench = new Bench();
    const forced: boolean[] = [];
    const spy: BlockDevice = Object.create(bench.disk, {
      submit: {
        value: (request: Parameters<BlockDevice["submit"]>[0]) => {
          if (request.kind === IoKind.write) forced.push(request.forceUnitAccess);
          bench.disk.submit(request);
        },
      },
    }) as BlockDevice;
    const heartbeat = bench.beat(spy);
    await heartbeat.start();
    await passSeconds(bench.clock, 1);
    await heartbeat.stop();
    expect(forced).toEqual([true, true]);
  });

  it("fences itself when another has written", async () => {
    const bench = new Bench();
    await bench.beat().start();
    await passSeconds(bench.clock, 2);
    const other = { poolUuid, hostId: testUuid(66), nonce: testUuid(67), counter: 0 };
    await writeBytes(bench.disk, HEARTBEAT_OFFSET, encodeHeartbeat(other));
    await passSeconds(bench.clock, 30);
    expect(bench.fenced).toHaveLength(1);
    expect(bench.fenced[0]).toMatchObject({ kind: "foreign" });
    expect(bench.fenced[0]?.message).toContain(testUuid(66));
    // What the other has written stays.
    expect(await bench.counter()).toBe(0);
  });

  it("leaves one of two that began at the same time", async () => {
    const bench = new Bench();
    await bench.beat(bench.disk, testUuid(10)).start();
    await bench.beat(bench.disk, testUuid(11)).start();
    await passSeconds(bench.clock, 10);
    expect(bench.fenced).toHaveLength(1);
    expect(await bench.counter()).toBe(10);
  });

  it("fences itself when its machine was suspended, which the clock does not count", async () => {
    const bench = new Bench();
    await bench.beat().start();
    bench.suspendedMs = 3000;
    await passSeconds(bench.clock, 2);
    expect(bench.fenced).toEqual([]);
    const counter = await bench.counter();
    bench.suspendedMs += 10_000;
    await passSeconds(bench.clock, 2);
    expect(bench.fenced).toMatchObject([{ kind: "failed" }]);
    expect(await bench.counter()).toBe(counter);
  });

  it("fences itself when a beat is late on a device that is stuck", async () => {
    const bench = new Bench();
    const slow = new DelayFilter(bench.disk, 0, (callback, delayMs) => {
      if (delayMs === 0) callback();
    });
    await bench.beat(slow).start();
    await passSeconds(bench.clock, 3);
    slow.delayMs = 1;
    await passSeconds(bench.clock, 4);
    expect(bench.fenced).toEqual([]);
    await passSeconds(bench.clock, 1);
    expect(bench.fenced).toMatchObject([{ kind: "failed" }]);
  });

  it("goes on beside more data than a disk can write in time", async () => {
    const bench = new Bench();
    const folder = scratchFolder();
    const path = join(folder, "disk");
    await createImageFile(path, 16 * MIB);
    const device = await FileDevice.open(path, { calls: new SlowCalls(bench.clock), lock: false });
    const heartbeat = bench.beat(device);
    const passing = async (seconds: number): Promise<void> => {
      for (let ms = 0; ms < seconds * 1000; ms += SlowCalls.ms) {
        bench.clock.advance(SlowCalls.ms);
        await turn();
      }
    };
    const starting = heartbeat.start();
    await passing(1);
    await starting;
    let isBusy = true;
    // Three seconds of them in the queue at any time.
    const writers = Array.from({ length: 600 }, async (_, index) => {
      while (isBusy) await writeBytes(device, 4 * MIB + index * 4096, Buffer.alloc(4096));
    });
    await passing(12);
    expect(bench.fenced).toEqual([]);
    isBusy = false;
    await passing(4);
    await Promise.all(writers);
    await heartbeat.stop();
    await device.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it("fences itself after the process stood still", async () => {
    const bench = new Bench();
    await bench.beat().start();
    await passSeconds(bench.clock, 3);
    // All timers come at once, before anything else.
    bench.clock.advance(30_000);
    await passSeconds(bench.clock, 2);
    expect(bench.fenced).toMatchObject([{ kind: "failed" }]);
    expect(await bench.counter()).toBe(3);
  });

  it("fences itself when the device fails", async () => {
    const bench = new Bench();
    const failing = new ErrorFilter(bench.disk);
    await bench.beat(failing).start();
    failing.setRules([{ error: "medium", kind: IoKind.write }]);
    await passSeconds(bench.clock, 3);
    expect(bench.fenced).toMatchObject([{ kind: "io" }]);
  });

  it("does not begin on a device that fails", async () => {
    const bench = new Bench();
    const failing = new ErrorFilter(bench.disk, [{ error: "medium", kind: IoKind.write }]);
    await expect(bench.beat(failing).start()).rejects.toMatchObject({ kind: "medium" });
    await passSeconds(bench.clock, 10);
    expect(bench.fenced).toEqual([]);
  });
});
