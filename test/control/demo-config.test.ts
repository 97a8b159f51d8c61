import { expect, it } from "vitest";
import { DEMO_TARGET, demoConfig } from "../../src/control/demo-config.ts";

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
