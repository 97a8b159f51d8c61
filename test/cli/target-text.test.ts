import { describe, expect, it } from "vitest";
import {
  admission,
  counted,
  lunTable,
  targetTable,
  targetText,
} from "../../src/cli/target-text.ts";
import type { LunReport, TargetReport } from "../../src/control/protocol.ts";
import { PLAIN_SETTINGS } from "./target/support/no-settings.ts";

const NAME = "iqn.2026-11.net.example:disk";

const LUN: LunReport = {
  target: NAME,
  lun: 0,
  volume: "tank/a",
  driver: "thin",
  sizeBytes: 2 ** 30,
  uuid: "6f1d2c3b-4a59-4687-9785-a4b3c2d1e0ff",
  blockBytes: 512,
  readOnly: false,
  online: true,
  ...PLAIN_SETTINGS,
};

const TARGET: TargetReport = {
  name: NAME,
  alias: null,
  tid: 1,
  origin: "command",
  state: "ready",
  luns: [LUN],
  access: { addresses: [], initiators: [], match: "all" },
  authentication: null,
  portalGroups: [],
  redirect: null,
  sessionsMax: 128,
  sessionCount: 2,
  parameters: {
    headerDigest: "allowed",
    dataDigest: "off",
    maxRecvDataSegmentLength: 262_144,
    maxBurstLength: 1024,
    firstBurstLength: 512,
    maxOutstandingR2T: 8,
    initialR2T: false,
    immediateData: true,
    defaultTime2Wait: 2,
    defaultTime2Retain: 20,
  },
  pings: { interval: null, count: null },
};

const STRICT: TargetReport = {
  ...TARGET,
  alias: "a disk",
  state: "offline",
  access: { addresses: ["ALL"], initiators: ["iqn.*"], match: "any" },
  authentication: { users: ["alice"], mutual: "disk", mutualRequired: true },
  portalGroups: [1, 2],
  pings: { interval: 5, count: null },
  redirect: { address: "192.0.2.1:3260", permanent: false },
};

describe("targets for people", () => {
  it("are a line each", () => {
    expect(targetTable([])).toContain("thinlun target create");
    const [heading, first, second] = targetTable([TARGET, STRICT]).split("\n");
    expect(heading).toMatch(/^NAME +STATE +LUNS +SESSIONS +LETS IN +FROM +ALIAS$/);
    expect(first).toMatch(/ready +1 +2 +everybody +command$/);
    expect(second).toMatch(/redirects +1 +2 +2 rules, CHAP +command +a disk$/);
    expect(admission(STRICT)).toBe("2 rules, CHAP");
  });

  it("are told in full", () => {
    const text = targetText(STRICT);
    for (const words of [
      `target ${NAME}`,
      "alias      a disk",
      "addresses  ALL",
      "match      address or name",
      "CHAP       users alice",
      "proves     itself as disk; initiators have to ask for it",
      "redirect   to 192.0.2.1:3260",
      "portals    group 1, group 2",
      "dataDigest=off",
      "LUN 0      tank/a, 1 GiB, writable",
    ]) {
      expect(text).toContain(words);
    }
    expect(targetText(TARGET)).toContain("CHAP       not asked for");
    const keys = Array.from({ length: 9 }, (_, index) => [`firstBurstLength${index}`, 262_144]);
    const long = targetText({ ...TARGET, parameters: Object.fromEntries(keys) as never });
    expect(long).toContain("\n             firstBurstLength");
    expect(Math.max(...long.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80);
  });
});

describe("LUNs for people", () => {
  it("are a line each", () => {
    expect(lunTable([])).toContain("thinlun target map");
    const gone = { ...LUN, lun: 12, sizeBytes: null, readOnly: true, online: false };
    const [, first, second] = lunTable([LUN, gone]).split("\n");
    expect(first).toMatch(/^ +0 +tank\/a +1 GiB +512 +writable +iqn/);
    expect(second).toMatch(/^ +12 +tank\/a +missing +512 +read-only, offline +iqn/);
  });
});

describe("numbers of things", () => {
  it("go with their nouns", () => {
    expect([counted(0, "LUN"), counted(1, "LUN"), counted(2, "LUN")]).toEqual([
      "0 LUNs",
      "1 LUN",
      "2 LUNs",
    ]);
  });
});
