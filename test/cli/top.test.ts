import { describe, expect, it } from "vitest";
import { canvasOf, topCommand, topText } from "../../src/cli/top.ts";
import { liveRates, ratesOf } from "../../src/cli/top-rates.ts";
import type { LunStatistics, StatusReport } from "../../src/control/protocol.ts";

const STATUS: StatusReport = {
  version: "1.2.3",
  pid: 7,
  startedAt: "2026-11-23T16:00:00.000Z",
  uptimeSeconds: 61,
  stateDir: "/x",
  portals: [],
  targetCount: 1,
  lunCount: 2,
  sessionCount: 3,
  poolCount: 0,
  volumeCount: 0,
  missingLuns: [],
  failedPools: [],
};

const BEFORE: LunStatistics = {
  target: "iqn.x",
  lun: 0,
  initiator: "iqn.host",
  reads: 100,
  readBytes: 4096 * 100,
  writes: 10,
  writtenBytes: 4096 * 10,
  others: 5,
  errors: 1,
  running: 0,
  latencyMs: 50,
};

it("has one picture on a terminal as wide as that, with all lines", () => {
  expect(canvasOf("once", 24, 80)).toEqual({ lines: Number.POSITIVE_INFINITY, columns: 80 });
  expect(canvasOf("live", 24, 80)).toEqual({ lines: 24, columns: 80 });
});

describe("rates", () => {
  it("are what changed in the time between", () => {
    const after = {
      ...BEFORE,
      reads: 300,
      readBytes: 4096 * 300,
      running: 4,
      errors: 3,
      latencyMs: 150,
    };
    expect(ratesOf({ atMs: 1000, luns: [BEFORE] }, { atMs: 3000, luns: [after] })).toEqual([
      {
        target: "iqn.x",
        lun: 0,
        initiator: "iqn.host",
        readsPerSecond: 100,
        writesPerSecond: 0,
        readBytesPerSecond: 409_600,
        writtenBytesPerSecond: 0,
        latencyMs: 0.5,
        errors: 2,
        running: 4,
      },
    ]);
  });

  it("begin at zero with what is new, and with what has begun anew", () => {
    const fresh = { ...BEFORE, reads: 10, readBytes: 40_960, writes: 0, others: 0, latencyMs: 5 };
    for (const luns of [[], [BEFORE]]) {
      const [rates] = ratesOf({ atMs: 0, luns }, { atMs: 1000, luns: [fresh] });
      expect(rates).toMatchObject({ readsPerSecond: 10, latencyMs: 0.5 });
    }
    const [idle] = ratesOf({ atMs: 0, luns: [fresh] }, { atMs: 0, luns: [fresh] });
    expect(idle).toMatchObject({ readsPerSecond: 0, latencyMs: null });
  });

  it("come busiest first", () => {
    const luns = [BEFORE, { ...BEFORE, lun: 1, writes: 900 }, { ...BEFORE, lun: 2 }];
    const rates = ratesOf({ atMs: 0, luns: [] }, { atMs: 1000, luns });
    expect(rates.map(({ lun }) => lun)).toEqual([1, 0, 2]);
  });
});

describe("the picture", () => {
  it("has a line for each LUN and initiator, and sums", () => {
    expect(topCommand.command).toBe("top");
    const luns = [BEFORE, { ...BEFORE, lun: 1, latencyMs: 575 }];
    const rates = ratesOf({ atMs: 0, luns: [] }, { atMs: 1000, luns });
    const text = topText(STATUS, rates);
    expect(text).toContain("up for 1 min 1 s: 1 target, 3 sessions");
    expect(text).toContain("200 reads/s, 800 KiB/s; 20 writes/s, 80 KiB/s");
    expect(text).toMatch(/0 +100 +10 +400 KiB\/s +40 KiB\/s +435 us +0 +1 +iqn\.x +iqn\.host/);
    expect(text).toContain("5.0 ms");
    expect(topText(STATUS, [])).toContain("Nobody has used a LUN yet");
    expect(
      topText(STATUS, rates, { lines: 6, columns: 200 }).split("\n").length,
    ).toBeLessThanOrEqual(6);
    const failedPools = [{ pool: "tank", failure: "the disk is on fire" }];
    expect(topText({ ...STATUS, failedPools }, [])).toContain("FAILED pool tank");
  });
});

describe("whose initiators are gone", () => {
  it("are not shown any more, unless they have just gone", () => {
    const luns = [
      BEFORE,
      { ...BEFORE, initiator: "iqn.gone" },
      { ...BEFORE, initiator: "iqn.idle" },
    ];
    const after = luns.map((one, index) => (index === 0 ? { ...one, reads: 200 } : one));
    const rates = ratesOf({ atMs: 0, luns }, { atMs: 1000, luns: after });
    const names = (sessions: readonly string[]): string[] =>
      liveRates(
        rates,
        sessions.map((initiator) => ({ target: "iqn.x", initiator })),
      ).map(({ initiator }) => initiator);
    expect(names(["iqn.host", "iqn.idle"])).toEqual(["iqn.host", "iqn.idle"]);
    expect(names([])).toEqual(["iqn.host"]);
  });
});

describe("the picture on a narrow terminal", () => {
  const target = "iqn.2026-11.net.example:storage.rack-7.disk";
  const luns = ["one", "two"].map((host, lun) => ({
    ...BEFORE,
    target,
    lun,
    initiator: `iqn.1993-08.org.debian:01:${host}`,
    readBytes: 123_456_789,
  }));
  const rates = ratesOf({ atMs: 0, luns: [] }, { atMs: 1000, luns });

  it.each([44, 50, 60, 72, 80, 100, 120, 160])("has no line longer than %i columns", (columns) => {
    const failedPools = [{ pool: "tank", failure: "x".repeat(200) }];
    const text = topText({ ...STATUS, failedPools }, rates, { lines: 24, columns });
    for (const line of text.split("\n")) expect(line.length).toBeLessThanOrEqual(columns);
    // What the lines are about, and what is asked for most, is there however narrow it is.
    for (const word of [
      "LUN",
      "READ/S",
      "WRITE/S",
      "TARGET",
      "INITIATOR",
      ":one",
      ":two",
      "disk",
    ]) {
      expect(text, `${columns} columns`).toContain(word);
    }
    expect(text.split("\n").length).toBeLessThanOrEqual(24);
  });

  it("has bandwidth and latency on 80 columns, and whole names where there is room", () => {
    const text = topText(STATUS, rates, { lines: 24, columns: 80 });
    for (const heading of ["READ", "WRITTEN", "LATENCY"]) {
      expect(text).toMatch(new RegExp(` ${heading} `));
    }
    const wide = topText(STATUS, rates, { lines: 24, columns: 200 });
    expect(wide).toContain(`${target}  iqn.1993-08.org.debian:01:one`);
    expect(topText(STATUS, rates)).toBe(wide);
  });
});
