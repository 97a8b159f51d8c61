import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DISK, DaemonBench } from "./support/daemon-bench.ts";

let bench: DaemonBench;

beforeEach(async () => {
  bench = await DaemonBench.make();
});

afterEach(() => bench.dispose());

describe("the status of the daemon", () => {
  it("counts what there is", async () => {
    expect(await bench.run("system/status", {})).toMatchObject({
      version: "1.2.3",
      pid: process.pid,
      uptimeSeconds: 0,
      targetCount: 0,
      poolCount: 0,
      failedPools: [],
    });
    await bench.makePool("a", "b");
    await bench.run("target/create", { name: DISK });
    await bench.run("target/map", { target: DISK, volume: "tank/a" });
    await bench.login();
    const status = await bench.run("system/status", {});
    expect(status).toMatchObject({
      targetCount: 1,
      lunCount: 1,
      sessionCount: 1,
      poolCount: 1,
      volumeCount: 2,
      missingLuns: [],
    });
    expect(status.portals).toEqual([(await bench.run("portal/list", {}))[0]?.address]);
  });

  it("names pools that have stopped, and LUNs whose volumes are not there", async () => {
    await bench.makePool("a");
    await bench.run("target/create", { name: DISK });
    await bench.run("target/map", { target: DISK, volume: "tank/a" });
    const [operated] = bench.context.pools();
    const { PoolError } = await import("../../../src/thin/pool-error.ts");
    operated?.pool.fence(new PoolError("failed", "the disk is on fire"));
    await bench.harness.parts.volumes.close("tank/a");
    const { failedPools, missingLuns } = await bench.run("system/status", {});
    expect(failedPools).toEqual([{ pool: "tank", failure: "tank: the disk is on fire" }]);
    expect(missingLuns).toEqual([`${DISK} LUN 0`]);
  });
});
