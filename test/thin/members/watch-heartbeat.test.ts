import { describe, expect, it } from "vitest";
import { ErrorFilter } from "../../../src/device/error-filter.ts";
import { MemoryDevice } from "../../../src/device/memory-device.ts";
import { HEARTBEAT_OFFSET } from "../../../src/thin/format/layout.ts";
import { encodeHeartbeat } from "../../../src/thin/members/heartbeat-block.ts";
import {
  signOfLife,
  watchBriefly,
  watchHeartbeat,
} from "../../../src/thin/members/watch-heartbeat.ts";
import { writeBytes } from "../../../src/util/io-request.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { passSeconds } from "./support/passing-time.ts";
import { testUuid } from "./support/superblock.ts";

const MIB = 1024 * 1024;

function beat(counter: number): Uint8Array {
  return encodeHeartbeat({
    poolUuid: testUuid(1),
    hostId: testUuid(2),
    nonce: testUuid(3),
    counter,
  });
}

/** Starts to watch, and tells how it has ended: not at all, well, or with which error. */
function watched(device: ErrorFilter | MemoryDevice, clock: ManualClock, watch = watchHeartbeat) {
  const result: { end: string } = { end: "" };
  watch({ device, clock }).then(
    () => (result.end = "quiet"),
    (error: unknown) => (result.end = String(error)),
  );
  return result;
}

it("tells a pool's sign of life from another's that was there before, and from none", async () => {
  const device = new MemoryDevice(16 * MIB);
  expect(await signOfLife(device, testUuid(1))).toBeNull();
  await writeBytes(device, HEARTBEAT_OFFSET, beat(5));
  expect(await signOfLife(device, testUuid(1))).toMatchObject({ hostId: testUuid(2), counter: 5 });
  expect(await signOfLife(device, testUuid(9))).toBeNull();
});

describe("the watch before a takeover", () => {
  it("takes ten intervals of quiet", async () => {
    const [device, clock] = [new MemoryDevice(16 * MIB), new ManualClock()];
    await writeBytes(device, HEARTBEAT_OFFSET, beat(5));
    const result = watched(device, clock);
    await passSeconds(clock, 9);
    expect(result.end).toBe("");
    await passSeconds(clock, 2);
    expect(result.end).toBe("quiet");
  });

  it("ends at a sign of life, in the last interval, too", async () => {
    const [device, clock] = [new MemoryDevice(16 * MIB), new ManualClock()];
    await writeBytes(device, HEARTBEAT_OFFSET, beat(5));
    const result = watched(device, clock);
    await passSeconds(clock, 9);
    await writeBytes(device, HEARTBEAT_OFFSET, beat(6));
    await passSeconds(clock, 2);
    expect(result.end).toContain(`the heartbeat of host ${testUuid(2)} goes on`);
  });

  it("ends where any byte changes, whatever it says", async () => {
    const [device, clock] = [new MemoryDevice(16 * MIB), new ManualClock()];
    const result = watched(device, clock);
    await passSeconds(clock, 1);
    await writeBytes(device, HEARTBEAT_OFFSET + 4000, Buffer.from([1]));
    await passSeconds(clock, 2);
    expect(result.end).toContain("another host");
  });

  it("ends where the block cannot be read", async () => {
    const clock = new ManualClock();
    const device = new ErrorFilter(new MemoryDevice(16 * MIB), [{ error: "medium", skip: 3 }]);
    const result = watched(device, clock);
    await passSeconds(clock, 12);
    expect(result.end).toContain("an error was asked for");
  });
});

describe("the look before a claim", () => {
  it("takes as long as two heartbeats", async () => {
    const [device, clock] = [new MemoryDevice(16 * MIB), new ManualClock()];
    const quiet = watched(device, clock, watchBriefly);
    await passSeconds(clock, 2);
    expect(quiet.end).toBe("");
    await passSeconds(clock, 2);
    expect(quiet.end).toBe("quiet");
    const alive = watched(device, clock, watchBriefly);
    await passSeconds(clock, 2);
    await writeBytes(device, HEARTBEAT_OFFSET, beat(6));
    await passSeconds(clock, 2);
    expect(alive.end).toContain(`the heartbeat of host ${testUuid(2)} goes on`);
  });
});
