import { beforeEach, describe, expect, it } from "vitest";
import { ErrorFilter } from "../../../src/device/error-filter.ts";
import { MemoryDevice } from "../../../src/device/memory-device.ts";
import { HEARTBEAT_OFFSET } from "../../../src/thin/format/layout.ts";
import { encodeHeartbeat } from "../../../src/thin/members/heartbeat-block.ts";
import { claimShared, type SharedClaim } from "../../../src/thin/members/claim-shared.ts";
import { IoKind, writeBytes } from "../../../src/util/io-request.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { passSeconds } from "./support/passing-time.ts";
import { testUuid } from "./support/superblock.ts";

const MIB = 1024 * 1024;

let clock: ManualClock;
let device: ErrorFilter;

beforeEach(() => {
  clock = new ManualClock();
  device = new ErrorFilter(new MemoryDevice(16 * MIB));
});

interface Host {
  claim: SharedClaim | null;
  refusal: string;
  readonly lost: string[];
}

/** A host that claims the pool from now on. */
function host(number: number): Host {
  const result: Host = { claim: null, refusal: "", lost: [] };
  const owner = {
    hostId: testUuid(number),
    bootId: testUuid(number),
    nonce: testUuid(100 + number),
    pid: number,
    openedAtSeconds: 0,
  };
  claimShared({ device, poolUuid: testUuid(1), owner, clock }).then(
    (claim) => {
      result.claim = claim;
      claim.onLost(({ message }) => result.lost.push(message));
    },
    (error: unknown) => {
      result.refusal = String(error);
    },
  );
  return result;
}

describe("a pool that several hosts can reach", () => {
  it("is claimed by one that sees nobody else for a while", async () => {
    const only = host(1);
    await passSeconds(clock, 4);
    expect(only.claim).toBeNull();
    await passSeconds(clock, 60);
    expect([only.claim !== null, only.lost]).toEqual([true, []]);
    await only.claim?.release();
    await passSeconds(clock, 60);
    expect(only.lost).toEqual([]);
  });

  it("is claimed by one of two that begin at the same time", async () => {
    const both = [host(1), host(2)];
    await passSeconds(clock, 10);
    expect(both.filter(({ claim }) => claim !== null)).toHaveLength(1);
    expect(both.map(({ refusal }) => refusal).join("")).toMatch(/another host may be opening/);
    await both.find(({ claim }) => claim !== null)?.claim?.release();
  });

  it("is not claimed, and left in peace, while another one shows signs of life", async () => {
    const first = host(1);
    await passSeconds(clock, 6);
    const second = host(2);
    await passSeconds(clock, 30);
    expect(second.refusal).toMatch(/the heartbeat of host .* goes on/);
    expect([first.claim !== null, first.lost]).toEqual([true, []]);
    await first.claim?.release();
  });

  it("is lost by the one that had it when another one takes it", async () => {
    const first = host(1);
    await passSeconds(clock, 6);
    // Taken by a host that saw no sign of life for as long as it looked.
    const block = { poolUuid: testUuid(1), hostId: testUuid(2), nonce: testUuid(102), counter: 0 };
    await writeBytes(device, HEARTBEAT_OFFSET, encodeHeartbeat(block));
    await passSeconds(clock, 2);
    expect(first.lost.join("")).toContain(testUuid(2));
    const late: string[] = [];
    first.claim?.onLost(({ message }) => late.push(message));
    expect(late).toEqual(first.lost);
  });

  it("is not claimed where no sign of life can be written", async () => {
    device.setRules([{ error: "medium", kind: IoKind.write }]);
    const only = host(1);
    await passSeconds(clock, 6);
    expect(only.refusal).toMatch(/heartbeat cannot be written/);
  });
});
