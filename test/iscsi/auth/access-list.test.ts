import { describe, expect, it } from "vitest";

import {
  AccessList,
  accessProblems,
  OPEN_ACCESS,
  plainAddress,
  type AccessRules,
} from "../../../src/iscsi/auth/access-list.ts";
import { ACCESS_RULES_MAX } from "../../../src/iscsi/login/limits.ts";

const HOST = "iqn.1993-08.org.debian:01:abc";

function allows(rules: Partial<AccessRules>, address: string, name: string = HOST): boolean {
  return new AccessList({ ...OPEN_ACCESS, ...rules }).allows(address, name);
}

describe("AccessList", () => {
  it.each<[string, string, boolean]>([
    ["192.0.2.7", "192.0.2.7", true],
    ["192.0.2.7", "192.0.2.8", false],
    ["192.0.2.7", "::ffff:192.0.2.7", true],
    ["::ffff:192.0.2.7", "192.0.2.7", true],
    ["192.0.2.0/24", "192.0.2.255", true],
    ["192.0.2.0/24", "192.0.3.0", false],
    ["192.0.2.77/24", "192.0.2.1", true],
    ["192.0.2.0/24", "::ffff:192.0.2.1", true],
    ["0.0.0.0/0", "203.0.113.9", true],
    ["0.0.0.0/0", "2001:db8::1", false],
    ["192.0.2.0/32", "192.0.2.0", true],
    ["192.0.2.0/32", "192.0.2.1", false],
    ["2001:db8::/32", "2001:db8:1::1", true],
    ["2001:db8::/32", "2001:db9::1", false],
    ["[2001:db8::1]", "2001:db8:0::1", true],
    ["[2001:db8::]/32", "2001:db8::9", true],
    ["fe80::/10", "fe80::1%eth0", true],
    ["::/0", "2001:db8::1", true],
    ["ALL", "203.0.113.9", true],
    ["ALL", "2001:db8::1", true],
    ["192.0.2.7", "", false],
    ["192.0.2.7", "host.example", false],
  ])("the rule %s lets %s in: %s", (rule, address, allowed) => {
    expect(allows({ addresses: [rule] }, address)).toBe(allowed);
  });

  it.each<[string, string, boolean]>([
    [HOST, HOST, true],
    [HOST, HOST.toUpperCase(), true],
    [HOST.toUpperCase(), HOST, true],
    [HOST, `${HOST}d`, false],
    ["iqn.1993-08.org.debian:*", HOST, true],
    ["*:abc", HOST, true],
    ["*", HOST, true],
    ["iqn.1994*", HOST, false],
  ])("the name rule %s lets %s in: %s", (rule, name, allowed) => {
    expect(allows({ initiatorNames: [rule] }, "192.0.2.7", name)).toBe(allowed);
  });

  const address = ["192.0.2.7"];
  const name = [HOST];
  it.each<
    [Partial<AccessRules>, ours: boolean, byAddress: boolean, byName: boolean, none: boolean]
  >([
    [{}, true, true, true, true],
    [{ addresses: address }, true, true, false, false],
    [{ initiatorNames: name }, true, false, true, false],
    [{ addresses: address, initiatorNames: name }, true, false, false, false],
    [{ addresses: address, initiatorNames: name, match: "any" }, true, true, true, false],
    [{ addresses: address, match: "any" }, true, true, false, false],
    [{ initiatorNames: name, match: "any" }, true, false, true, false],
    [{ withoutAddresses: "deny" }, false, false, false, false],
    [{ withoutAddresses: "deny", initiatorNames: name }, false, false, false, false],
    [{ withoutAddresses: "deny", addresses: ["ALL"] }, true, true, true, true],
    [
      { withoutAddresses: "deny", addresses: ["ALL"], initiatorNames: name },
      true,
      false,
      true,
      false,
    ],
  ])(
    "%o: who has both %s, the address %s, the name %s, neither %s",
    (rules, both, byAddress, byName, none) => {
      expect(allows(rules, "192.0.2.7")).toBe(both);
      expect(allows(rules, "192.0.2.7", "iqn.2001-01.x")).toBe(byAddress);
      expect(allows(rules, "192.0.2.8")).toBe(byName);
      expect(allows(rules, "192.0.2.8", "iqn.2001-01.x")).toBe(none);
    },
  );

  it("refuses rules that are none", () => {
    for (const rule of [
      "",
      "all",
      "host.example",
      "192.0.2",
      "192.0.2.0/33",
      "192.0.2.0/",
      "192.0.2.0/a",
      "192.0.2.0/24/8",
      "192.0.2.0/255.255.255.0",
      "2001:db8::/129",
      "192.0.2.0/1e1",
    ]) {
      const rules = { ...OPEN_ACCESS, addresses: [rule] };
      expect(accessProblems(rules)).toHaveLength(1);
      expect(() => new AccessList(rules)).toThrow(TypeError);
    }
    expect(accessProblems({ ...OPEN_ACCESS, initiatorNames: ["", "a".repeat(224)] })).toHaveLength(
      2,
    );
    const many = Array.from({ length: ACCESS_RULES_MAX + 1 }, () => "*");
    expect(accessProblems({ ...OPEN_ACCESS, initiatorNames: many })).toHaveLength(1);
  });
});

it.each([
  ["192.0.2.7", "192.0.2.7"],
  ["::ffff:192.0.2.7", "192.0.2.7"],
  ["::FFFF:192.0.2.7", "192.0.2.7"],
  ["::ffff:192.0.2.7%eth0", "192.0.2.7"],
  ["fe80::1%eth0", "fe80::1"],
  ["2001:db8::1", "2001:db8::1"],
  ["::ffff:999.0.2.7", "::ffff:999.0.2.7"],
])("plainAddress(%s) is %s", (address, plain) => {
  expect(plainAddress(address)).toBe(plain);
});
