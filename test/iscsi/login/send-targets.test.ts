import { describe, expect, it } from "vitest";

import { AccessList, OPEN_ACCESS } from "../../../src/iscsi/auth/access-list.ts";
import {
  sendTargets,
  type PortalListing,
  type SendTargetsQuery,
} from "../../../src/iscsi/login/send-targets.ts";
import { INITIATOR_NAME, makeTarget } from "./login-harness.ts";

const A = "iqn.2026-01.org.example:a";
const B = "iqn.2026-01.org.example:b";
const a = makeTarget({ alias: "first" }, A);
const b = makeTarget({ portalGroupTags: [2] }, B);

function portal(address: string, changes: Partial<PortalListing> = {}): PortalListing {
  return { address, port: 3260, portalGroupTag: 1, advertised: null, ...changes };
}

function listed(changes: Partial<SendTargetsQuery>): string[] | null {
  const pairs = sendTargets({
    value: "All",
    sessionType: "discovery",
    currentTarget: null,
    initiatorName: INITIATOR_NAME,
    remoteAddress: "192.0.2.7",
    localAddress: "192.0.2.1",
    targets: [a, b],
    portals: [portal("192.0.2.1"), portal("192.0.2.2", { portalGroupTag: 2 })],
    ...changes,
  });
  return pairs === null ? null : pairs.map(({ key, value }) => `${key}=${value}`);
}

const RECORD_A = [
  `TargetName=${A}`,
  "TargetAddress=192.0.2.1:3260,1",
  "TargetAddress=192.0.2.2:3260,2",
];
const RECORD_B = [`TargetName=${B}`, "TargetAddress=192.0.2.2:3260,2"];
const normal = { sessionType: "normal", currentTarget: a } as const;

describe("sendTargets", () => {
  it.each<[string, Partial<SendTargetsQuery>, string[] | null]>([
    ["all, in discovery", {}, [...RECORD_A, ...RECORD_B]],
    ["one by name, in discovery", { value: B }, RECORD_B],
    ["one by name in another case", { value: B.toUpperCase() }, RECORD_B],
    ["one that does not exist", { value: `${A}x` }, []],
    ["one with no name that could be", { value: "a b" }, []],
    ["nothing named, in discovery", { value: "" }, null],
    ["all, in a normal session", { ...normal, value: "All" }, null],
    ["nothing named, in a normal session", { ...normal, value: "" }, RECORD_A],
    ["its own target by name", { ...normal, value: A }, RECORD_A],
    ["another target by name", { ...normal, value: B }, []],
    ["all in lower case, which is a name", { value: "all" }, []],
    ["no targets", { targets: [] }, []],
    ["no portals", { portals: [] }, []],
  ])("lists %s", (_what, changes, expected) => {
    expect(listed(changes)).toEqual(expected);
  });

  it("leaves out what the initiator may not use", () => {
    const closed = makeTarget({ access: new AccessList({ ...OPEN_ACCESS, addresses: ["::1"] }) });
    const named = makeTarget({
      access: new AccessList({ ...OPEN_ACCESS, initiatorNames: ["*debian*"] }),
    });
    expect(listed({ targets: [closed] })).toEqual([]);
    expect(listed({ targets: [closed], value: closed.name })).toEqual([]);
    expect(listed({ targets: [closed], remoteAddress: "::1" })).toHaveLength(3);
    expect(listed({ targets: [named] })).toHaveLength(3);
    expect(listed({ targets: [named], initiatorName: "iqn.2001-01.x" })).toEqual([]);
  });

  it.each<[PortalListing, localAddress: string, address: string | null]>([
    [portal("0.0.0.0"), "192.0.2.1", "192.0.2.1:3260,1"],
    [portal("0.0.0.0"), "::ffff:192.0.2.1", "192.0.2.1:3260,1"],
    [portal("0.0.0.0"), "2001:db8::1", null],
    [portal("::"), "2001:db8::1", "[2001:db8::1]:3260,1"],
    [portal("::"), "::ffff:192.0.2.1", "192.0.2.1:3260,1"],
    [portal("::"), "fe80::1%eth0", "[fe80::1]:3260,1"],
    [portal("0:0:0:0:0:0:0:0"), "192.0.2.1", "192.0.2.1:3260,1"],
    [portal("2001:db8::2", { port: 3261 }), "192.0.2.1", "[2001:db8::2]:3261,1"],
    [
      portal("10.0.0.1", { advertised: { address: "san.example", port: 13260 } }),
      "10.0.0.1",
      "san.example:13260,1",
    ],
    [
      portal("0.0.0.0", { advertised: { address: "2001:db8::9", port: 3260 } }),
      "10.0.0.1",
      "[2001:db8::9]:3260,1",
    ],
  ])("reaches %o by way of %s at %s", (listing, localAddress, address) => {
    const expected = address === null ? [] : [`TargetName=${A}`, `TargetAddress=${address}`];
    expect(listed({ targets: [a], portals: [listing], localAddress })).toEqual(expected);
  });

  it("lists an address once", () => {
    const portals = [portal("0.0.0.0"), portal("192.0.2.1")];
    expect(listed({ targets: [a], portals })).toHaveLength(2);
  });
});
