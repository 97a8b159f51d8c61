import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { systemPools } from "../../src/control/system-pools.ts";
import { silentLog } from "../../src/util/log.ts";
import { forgetfulIdentities } from "./support/forgetful-identities.ts";
import { poolConfig } from "./support/inventories.ts";

const MIB = 2 ** 20;
const UUID = "5e0f7a7e-52ad-4f2b-8f0d-6d2f0d5d1c3a";

it("opens pools, and again what this host has had open", async () => {
  const stateDir = mkdtempSync(join(tmpdir(), "thinlun-pools-"));
  const devices = [join(stateDir, "tank.img")];
  const make = { sizeBytes: 64 * MIB, extentBytes: 64 * 1024 };
  try {
    for (const create of [make, null]) {
      const pools = systemPools(silentLog, { identities: forgetfulIdentities(UUID), stateDir });
      await pools.open("tank", poolConfig({ devices, create }));
      expect(pools.find("tank")?.pool.uuid).toBe(UUID);
      expect(pools.isNew("tank")).toBe(create !== null);
      expect(await pools.closeAll()).toBe(true);
    }
  } finally {
    rmSync(stateDir, { recursive: true });
  }
});
