import { describe, expect, it } from "vitest";
import { firstFree, parseShownTargets } from "../../../../src/cli/tgt/setup-lun/shown-targets.ts";

const SHOWN = `Target 1: iqn.2026-01.com.example:one
    System information:
        Driver: iscsi
        State: ready
    I_T nexus information:
    LUN information:
        LUN: 0
            Type: controller
        LUN: 3
            Type: disk
            Backing store path: LUN: 9
    Account information:
        ACL information:
    ACL information:
        10.0.0.0/8
        LUN: 7
Target 12: iqn.2026-01.com.example:Target 2:
    LUN information:
        LUN: 0
    Account information:
    ACL information:
        ALL
`;

describe("targets that are shown", () => {
  it("have an id, a name, LUNs and rules", () => {
    expect(parseShownTargets(SHOWN)).toEqual([
      {
        id: 1,
        name: "iqn.2026-01.com.example:one",
        luns: [0, 3],
        acl: ["10.0.0.0/8", "LUN: 7"],
      },
      { id: 12, name: "iqn.2026-01.com.example:Target 2:", luns: [0], acl: ["ALL"] },
    ]);
  });

  it("are none in an empty list", () => {
    expect(parseShownTargets("")).toEqual([]);
  });
});

describe("the first free number", () => {
  it.each([
    [[], 1, 1],
    [[1, 2, 3], 1, 4],
    [[1, 3], 1, 2],
    [[2], 1, 1],
    [[0], 0, 1],
  ])("of %j from %i", (taken, first, free) => {
    expect(firstFree(taken, first)).toBe(free);
  });
});
