import { describe, expect, it } from "vitest";

import { DEFAULT_OFFERS } from "../../src/iscsi/parameters.ts";
import {
  defaultTargetSettings,
  IscsiTarget,
  targetProblems,
  type IscsiTargetSettings,
} from "../../src/iscsi/target.ts";
import { fakeDevice, makeTarget, TARGET_NAME } from "./login/login-harness.ts";

const redirect = { address: "192.0.2.1", port: 3260, permanent: false };

describe("IscsiTarget", () => {
  it("has a name in normal form, and is open to all until it is told otherwise", () => {
    const target = new IscsiTarget(TARGET_NAME.toUpperCase(), fakeDevice());
    expect(target.name).toBe(TARGET_NAME);
    expect([target.state, target.maxSessions]).toEqual(["ready", 128]);
    expect(target.authentication.required).toBe(false);
    expect(target.access.allows("192.0.2.7", "iqn.2001-01.x")).toBe(true);
    expect(target.isInPortalGroup(65_535)).toBe(true);
    expect(() => new IscsiTarget("disk", fakeDevice())).toThrow(TypeError);
  });

  it("changes what it is told, and nothing where one change is wrong", () => {
    const target = makeTarget({ alias: "old" });
    target.configure({ state: "offline", portalGroupTags: [2, 3] });
    expect([target.alias, target.state]).toEqual(["old", "offline"]);
    expect([1, 2, 3].map((tag) => target.isInPortalGroup(tag))).toEqual([false, true, true]);
    const before = target.settings;
    expect(() => target.configure({ alias: "new", maxSessions: 0 })).toThrow(TypeError);
    expect(target.settings).toBe(before);
  });

  it.each<[string, Partial<IscsiTargetSettings>]>([
    ["an alias with a NUL, which would be another key", { alias: "a\0TargetAddress=x" }],
    ["a long alias", { alias: "a".repeat(256) }],
    ["a portal group past 16 bits", { portalGroupTags: [65_536] }],
    ["a negative portal group", { portalGroupTags: [-1] }],
    ["a redirect to no port", { redirect: { ...redirect, port: 0 } }],
    ["a redirect to no address", { redirect: { ...redirect, address: "" } }],
    ["a redirect with a NUL", { redirect: { ...redirect, address: "a\0b" } }],
    ["no sessions", { maxSessions: 0 }],
    ["half a session", { maxSessions: 1.5 }],
    ["offers out of range", { offers: { ...DEFAULT_OFFERS, maxOutstandingR2t: 0 } }],
  ])("refuses %s", (_what, changes) => {
    expect(targetProblems({ ...defaultTargetSettings(), ...changes })).toHaveLength(1);
  });
});
