import { describe, expect, it } from "vitest";
import { formatDuration, statusCommand, statusText } from "../../src/cli/status.ts";

describe("the status for people", () => {
  it("tells what there is, and what is wrong", () => {
    expect(statusCommand.command).toBe("status");
    const status = {
      version: "1.2.3",
      pid: 77,
      startedAt: "2026-11-23T16:00:00.000Z",
      uptimeSeconds: 3661,
      stateDir: "/var/lib/thinlun",
      portals: ["192.0.2.1:3260"],
      targetCount: 1,
      lunCount: 2,
      sessionCount: 0,
      poolCount: 1,
      volumeCount: 3,
      missingLuns: [],
      failedPools: [],
    };
    const text = statusText(status);
    expect(text).toContain("thinlun 1.2.3, process 77, up for 1 h 1 min\n");
    expect(text).toContain("1 target, 2 LUNs, 0 sessions");
    expect(text).not.toMatch(/FAILED|MISSING/);
    const bad = statusText({
      ...status,
      portals: [],
      missingLuns: ["iqn.x LUN 3"],
      failedPools: [{ pool: "tank", failure: "the disk is on fire" }],
    });
    expect(bad).toContain("portals   none");
    expect(bad).toContain("FAILED    pool tank: the disk is on fire");
    expect(bad).toContain("MISSING   iqn.x LUN 3");
  });

  it.each([
    [0, "0 s"],
    [59, "59 s"],
    [61, "1 min 1 s"],
    [86_400, "1 d 0 h"],
    [90_061, "1 d 1 h"],
  ])("tells %d seconds as %s", (seconds, text) => {
    expect(formatDuration(seconds)).toBe(text);
  });
});
