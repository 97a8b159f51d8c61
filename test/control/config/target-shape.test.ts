import { describe, it } from "vitest";
import { type BadConfig, expectComplaints, itRefuses, withTarget } from "./support.ts";

const LUN = "luns: [{ lun: 0, volume: disk }]";

describe("targets of the configuration", () => {
  it.each([
    ["a name alone", "luns: []"],
    ["a LUN", LUN],
    ["4 KiB blocks in words", "luns: [{ lun: 0, volume: disk, blockSize: 4KiB }]"],
  ])("may have %s", (_about, ...lines) => {
    expectComplaints(withTarget(...lines), []);
  });

  const bad: readonly BadConfig[] = [
    ["no LUNs", withTarget("alias: x"), /^3:5 targets\.1: the key "luns" is missing/],
    [
      "a name that is none",
      withTarget(LUN).replace("iqn.2026-11.net.example:disk", "disk"),
      /^3:11 targets\.1\.name: an iSCSI name is iqn.*this is "disk"/,
    ],
    [
      "a volume that is not there",
      withTarget("luns: [{ lun: 0, volume: dsik }]"),
      /^4:30 targets\.1\.luns\.1\.volume: there is no volume "dsik"; did you mean "disk"/,
    ],
    [
      "a LUN twice",
      withTarget("luns:", "- { lun: 0, volume: disk }", "- { lun: 0, volume: disk }"),
      /^6:14 .*LUN 0 is also on line 5/,
      /^6:25 .*"disk" has a LUN in this target already/,
    ],
    [
      "a LUN out of range",
      withTarget("luns: [{ lun: 99999, volume: disk }]"),
      /from 0 to 16383, not 99999/,
    ],
    [
      "a block size",
      withTarget("luns: [{ lun: 0, volume: disk, blockSize: 520 }]"),
      /512 or 4096, not 520/,
    ],
    [
      "a long vendor",
      withTarget("luns: [{ lun: 0, volume: disk, vendor: THINLUN-X }]"),
      /1 to 8 printable/,
    ],
    [
      "an alias with a bell",
      withTarget(LUN, 'alias: "a\\ab"'),
      /alias has .* no control characters/,
    ],
    [
      "a group that is not there",
      withTarget(LUN, "portalGroups: [2]"),
      /no portal is in group 2; there are 1/,
    ],
    [
      "a redirect to nowhere",
      withTarget(LUN, "redirect: { address: '1.2.3.999:1' }"),
      /neither an IP/,
    ],
    [
      "a huge segment",
      withTarget(LUN, "parameters: { maxRecvDataSegmentLength: 1GiB }"),
      /from 512 B to 1 MiB/,
    ],
    [
      "bursts that do not fit",
      withTarget(LUN, "parameters: { maxBurstLength: 1KiB, firstBurstLength: 2KiB }"),
      /^3:5 targets\.1: firstBurstLength\w* must not exceed/,
    ],
    [
      "a wrong digest",
      withTarget(LUN, "parameters: { dataDigest: maybe }"),
      /off, allowed, preferred, required/,
    ],
    ["no sessions", withTarget(LUN, "sessions: 0"), /from 1 to 4096/],
  ];

  itRefuses(bad);
});
