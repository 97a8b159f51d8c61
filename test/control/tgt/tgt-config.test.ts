import { expect, it } from "vitest";
import { tgtConfig } from "../../../src/control/tgt/tgt-config.ts";

it("listens everywhere, and has nothing", () => {
  const config = tgtConfig("/var/lib/thinlun");
  const addresses = config.portals.map(({ listen }) => listen.address);
  expect(["0.0.0.0", "0.0.0.0,::"]).toContain(addresses.join(","));
  expect(new Set(config.portals.map(({ listen }) => listen.port))).toEqual(new Set([3260]));
  expect(config).toMatchObject({ stateDir: "/var/lib/thinlun", targets: [] });
  expect([config.pools.size, config.volumes.size]).toEqual([0, 0]);
});
