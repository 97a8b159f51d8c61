import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { DEMO_TARGET, demoConfig, tellOfEarlierDemo } from "../../src/control/demo-config.ts";
import { type LogLine, recordingLog } from "../support/recording-log.ts";

it("the demonstration is for this host only, and lives in the state folder", () => {
  const config = demoConfig("/state");
  expect(config.portals.map(({ listen }) => listen.address)).toEqual(["127.0.0.1"]);
  expect(config.pools.get("demo")).toMatchObject({ devices: ["/state/demo-pool.img"] });
  expect(config.volumes.get("disk")).toMatchObject({
    driver: "thin",
    pool: "demo",
    sizeBytes: 8 * 2 ** 30,
    create: true,
  });
  expect(config.targets[0]).toMatchObject({
    name: DEMO_TARGET,
    luns: [{ lun: 0, volume: "disk" }],
  });
});

it("leaves the disk of an earlier version alone, and tells where there is one", () => {
  const folder = mkdtempSync(join(tmpdir(), "thinlun-demo-"));
  try {
    const lines: LogLine[] = [];
    tellOfEarlierDemo(folder, recordingLog(lines));
    expect(lines).toEqual([]);
    const path = join(folder, "demo.img");
    writeFileSync(path, "data");
    tellOfEarlierDemo(folder, recordingLog(lines));
    expect(lines).toMatchObject([{ level: "warn", fields: { path } }]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
