import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { readBootId } from "../../../native-free/machine-identity.ts";
import type { OwnerRecord } from "../../../src/thin/format/superblock.ts";
import { NO_UUID } from "../../../src/thin/format/identity.ts";
import {
  hostIdOf,
  isTakeover,
  mayOpen,
  ownerIdentity,
  refuseSilent,
  systemOwner,
} from "../../../src/thin/members/owner.ts";
import { PoolError } from "../../../src/thin/pool-error.ts";
import { systemRandomBytes } from "../../../src/util/random.ts";
import { testUuid } from "./support/superblock.ts";

const [me, other] = [testUuid(1), testUuid(2)];
const [now, before] = [testUuid(3), testUuid(4)];
const myself = { hostId: me, bootId: now, nonce: testUuid(5), pid: 1, openedAtSeconds: 9 };

function owner(state: OwnerRecord["state"], hostId: string, bootId: string): OwnerRecord {
  return { state, hostId, bootId, nonce: testUuid(6), pid: 4711, openedAtSeconds: 1_700_000_000 };
}

function answer(record: OwnerRecord, takeOver: boolean): string {
  try {
    return mayOpen(record, myself, { takeOver });
  } catch (error) {
    if (error instanceof PoolError) return error.kind;
    throw error;
  }
}

describe("the decision whether a pool may be opened", () => {
  it.each([
    ["clean", me, now, "clean", "clean"],
    ["clean", me, before, "clean", "clean"],
    ["clean", other, now, "clean", "clean"],
    ["clean", other, before, "clean", "clean"],
    ["active", me, now, "crashed-here", "crashed-here"],
    ["active", me, before, "power-loss", "power-loss"],
    ["active", other, now, "foreign", "crashed-here"],
    ["active", other, before, "foreign", "power-loss"],
  ] as const)("is for %s, host %s, boot %s: %s, taken over %s", (...row) => {
    const [state, hostId, bootId, withoutTakeover, withTakeover] = row;
    const record = owner(state, hostId, bootId);
    expect(answer(record, false)).toBe(withoutTakeover);
    expect(answer(record, true)).toBe(withTakeover);
    expect(isTakeover(record, myself)).toBe(withoutTakeover !== withTakeover);
  });

  it("does not take two unknown boots for one", () => {
    const unknown = { ...myself, bootId: NO_UUID };
    expect(mayOpen(owner("active", me, NO_UUID), unknown)).toBe("power-loss");
  });

  it("says who has it, whatever time the record claims", () => {
    expect(() => mayOpen(owner("active", other, now), myself)).toThrow(
      `open on another host (${other}, process 4711, since 2023-11-14`,
    );
    const strange = { ...owner("active", other, now), openedAtSeconds: 2 ** 53 - 1 };
    expect(() => mayOpen(strange, myself)).toThrow(PoolError);
  });
});

describe("the silence of an owner", () => {
  const record = owner("active", other, before);
  const sign = (hostId: string, nonce: string) => ({ hostId, nonce });

  it("says that it is dead where it has given signs of life", () => {
    expect(() => refuseSilent(record, sign(other, record.nonce), myself)).not.toThrow();
  });

  it("says nothing where it never gave any", () => {
    for (const left of [null, sign(other, testUuid(7)), sign(testUuid(8), testUuid(7))]) {
      expect(() => refuseSilent(record, left, myself)).toThrow(/never given a sign of life/);
    }
  });

  it("was looked into by this host, where an earlier takeover came to nothing", () => {
    expect(() => refuseSilent(record, sign(me, testUuid(7)), myself)).not.toThrow();
  });
});

describe("the identity of an owner", () => {
  const sources = { randomBytes: systemRandomBytes, nowSeconds: 5 };

  it("is derived from the machine's, and does not give that away", () => {
    const machineId = "0123456789abcdef0123456789abcdef";
    const digest = createHash("sha256").update(`${machineId}thinlun-pool`).digest("hex");
    expect(hostIdOf(machineId).replaceAll("-", "")).toBe(digest.slice(0, 32));
  });

  it("stays in a boot and takes a new nonce each time", async () => {
    const [first, second] = [await systemOwner(), await systemOwner()];
    expect(second.hostId).toBe(first.hostId);
    expect(second.bootId).toBe(readBootId());
    expect(second.nonce).not.toBe(first.nonce);
    expect(first.pid).toBe(process.pid);
  });

  it("is never somebody else's by accident", () => {
    const nowhere = { ...sources, machineId: null, bootId: null };
    const [first, second] = [ownerIdentity(nowhere), ownerIdentity(nowhere)];
    expect(first.hostId).not.toBe(second.hostId);
    expect(first.bootId).not.toBe(second.bootId);
    const inBoot = { ...sources, machineId: null, bootId: now };
    expect(ownerIdentity(inBoot).hostId).toBe(ownerIdentity(inBoot).hostId);
  });
});
