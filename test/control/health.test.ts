import { describe, expect, it } from "vitest";

import { missingOf, readiness, stuckness } from "../../src/control/health.ts";
import { IoError } from "../../src/util/io-error.ts";

const whole = { pool: { name: "tank", failure: null } };
const failed = { pool: { name: "lake", failure: new IoError("failed", "x", { object: "lake" }) } };

describe("readiness", () => {
  it("finds nothing wrong with a daemon that serves", () => {
    expect(readiness({ isRunning: true, portals: 1, pools: [whole] })).toEqual([]);
    expect(readiness({ isRunning: true, portals: null, pools: [] })).toEqual([]);
  });

  it("names all that is wrong", () => {
    expect(readiness({ isRunning: true, portals: 0, pools: [whole, failed] })).toEqual([
      "no portal is open",
      "pool lake failed",
    ]);
  });

  it("does not miss portals of a daemon that only starts", () => {
    expect(readiness({ isRunning: false, portals: 0, pools: [] })).toEqual([
      "the daemon is starting or stopping",
    ]);
  });
});

describe("what is missing", () => {
  const volume = (optional: boolean) => ({
    driver: "memory" as const,
    sizeBytes: 4096,
    optional,
    writeCache: true,
  });
  const portal = (address: string) => ({ listen: { address, port: 3260 }, group: 1 });
  const pool = (optional: boolean) => ({ devices: ["/dev/x"], optional });
  const wanted = {
    pools: new Map([
      ["tank", pool(false)],
      ["lake", pool(false)],
      ["spare", pool(true)],
    ]),
    volumes: new Map([
      ["a", volume(false)],
      ["b", volume(false)],
      ["c", volume(true)],
    ]),
    portals: [portal("127.0.0.1"), portal("192.0.2.1")],
  } as unknown as Parameters<typeof missingOf>[0];

  it("is named: pools, volumes and portals, but nothing that is optional", () => {
    const missing = missingOf(wanted, {
      hasPool: (name) => name === "tank",
      hasVolume: (name) => name === "a",
      portals: wanted.portals.slice(0, 1),
    });
    expect(missing).toEqual([
      "pool lake is not open",
      "volume b is not open",
      "portal 192.0.2.1:3260 is not open",
    ]);
    expect(readiness({ isRunning: true, portals: 1, pools: [whole], missing })).toEqual(missing);
    expect(readiness({ isRunning: false, portals: 0, pools: [], missing })).toHaveLength(1);
  });

  it("is not told without end", () => {
    const missing = Array.from({ length: 1000 }, (_, index) => `volume v${index} is not open`);
    const reasons = readiness({ isRunning: true, portals: 1, pools: [], missing });
    expect(reasons).toHaveLength(21);
    expect(reasons.at(-1)).toBe("and 980 more");
  });
});

describe("what is stuck", () => {
  const flushing = (barrierRunningMs: number, failure: Error | null = null) => ({
    pool: { name: "tank", failure, statistics: () => ({ barrierRunningMs }) },
  });

  it("is an event loop that stood still, and a flush that does not come back", () => {
    expect(stuckness({ stallMs: 0, pools: [flushing(0)] })).toEqual([]);
    expect(stuckness({ stallMs: 10_000, pools: [flushing(120_000)] })).toEqual([]);
    expect(stuckness({ stallMs: 12_500, pools: [flushing(130_000)] })).toEqual([
      "the event loop stood still for 12 s",
      "a flush of pool tank has not come back for 130 s",
    ]);
  });

  it("is no pool that has failed: that one refuses at once", () => {
    expect(stuckness({ stallMs: 0, pools: [flushing(130_000, new Error("x"))] })).toEqual([]);
  });
});
