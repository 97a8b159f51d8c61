import { describe, expect, it } from "vitest";
import {
  offersOf,
  pingsOf,
  redirectOf,
  shownValue,
} from "../../../../src/control/tgt/execute/target-settings.ts";
import { pingProblems } from "../../../../src/iscsi/ping-watch.ts";
import { DEFAULT_OFFERS, offerProblems } from "../../../../src/iscsi/parameters.ts";

describe("session keys", () => {
  it.each([
    ["MaxRecvDataSegmentLength", "65536", { maxRecvDataSegmentLengthBytes: 65_536 }],
    ["MaxRecvDataSegmentLength", "16777215", { maxRecvDataSegmentLengthBytes: 1_048_576 }],
    ["MaxBurstLength", "4096", { maxBurstLengthBytes: 4096, firstBurstLengthBytes: 4096 }],
    ["FirstBurstLength", "1024", { firstBurstLengthBytes: 1024 }],
    ["MaxOutstandingR2T", "65535", { maxOutstandingR2t: 64 }],
    ["DefaultTime2Wait", "7", { defaultTime2WaitSeconds: 7 }],
    ["DefaultTime2Retain", "0", { defaultTime2RetainSeconds: 0 }],
    ["HeaderDigest", "CRC32C", { headerDigest: "required" }],
    ["HeaderDigest", "None,CRC32C", { headerDigest: "allowed" }],
    ["DataDigest", "None", { dataDigest: "off" }],
    ["InitialR2T", "Yes", { initialR2t: true }],
    ["ImmediateData", "No", { immediateData: false }],
    ["MaxQueueCmd", "5", {}],
    ["constructor", "5", {}],
  ])("%s=%s is %j", (key, value, changes) => {
    const offers = offersOf(DEFAULT_OFFERS, key, value);
    expect(offers).toEqual({ ...DEFAULT_OFFERS, ...changes });
    expect(offerProblems(offers)).toEqual([]);
  });
});

it.each([
  ["MaxRecvDataSegmentLength", "0x4000", "16384"],
  ["ErrorRecoveryLevel", "2x", "2"],
  ["MaxRecvDataSegmentLength", "4294967808", "512"],
  ["HeaderDigest", "None,CRC32C", "CRC32C"],
  ["DataDigest", "None", "None"],
  ["IFMarkInt", "7", "Irrelevant"],
  ["InitialR2T", "No", "No"],
  ["RedirectAddress", "host", "host"],
])("%s=%s is shown as %s", (key, value, shown) => {
  expect(shownValue(key, value)).toBe(shown);
});

describe("how initiators are asked whether they live", () => {
  it.each([
    [{}, {}],
    [
      { nop_interval: "5", nop_count: "3" },
      { intervalSeconds: 5, count: 3 },
    ],
    [{ nop_interval: "5" }, { intervalSeconds: 5 }],
    [{ nop_interval: "5", nop_count: "0" }, { intervalSeconds: 5 }],
    [{ nop_interval: "0", nop_count: "x" }, { intervalSeconds: 0 }],
    [{ nop_interval: "-3", nop_count: "-1" }, { intervalSeconds: 0 }],
    [{ nop_count: "2" }, { count: 2 }],
    [
      { nop_interval: "999999999", nop_count: "99999" },
      { intervalSeconds: 86_400, count: 1000 },
    ],
  ])("%j is %j", (given, pings) => {
    const meant = pingsOf(new Map(Object.entries(given)));
    expect(meant).toEqual(pings);
    expect(pingProblems(meant)).toEqual([]);
  });
});

describe("where a target sends its initiators", () => {
  const settings = (reason: string, port = "3260", address = "192.0.2.1") =>
    new Map([
      ["RedirectAddress", address],
      ["RedirectPort", port],
      ["RedirectReason", reason],
    ]);

  it("is known when all of it is", () => {
    const redirect = { address: "192.0.2.1", port: 3260 };
    expect(redirectOf(settings("Temporary"))).toEqual({ ...redirect, permanent: false });
    expect(redirectOf(settings("Permanent"))).toEqual({ ...redirect, permanent: true });
    const bracketed = redirectOf(settings("Permanent", "860", "[2001:db8::1]"));
    expect(bracketed).toEqual({ address: "2001:db8::1", port: 860, permanent: true });
  });

  it.each(["RedirectAddress", "RedirectPort", "RedirectReason"])("is not without %s", (key) => {
    const some = settings("Temporary");
    some.delete(key);
    expect(redirectOf(some)).toBeNull();
  });

  it("is nowhere for ports that are none", () => {
    expect(redirectOf(settings("Temporary", "0"))).toBeNull();
    expect(redirectOf(settings("Temporary", "65536"))).toBeNull();
  });
});
