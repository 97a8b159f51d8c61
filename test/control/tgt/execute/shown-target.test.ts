import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { shownParameters } from "../../../../src/control/tgt/execute/shown-target.ts";
import { emptyConfig } from "../../support/plane-harness.ts";
import { lunConfig, poolConfig, targetConfig, thinConfig } from "../../support/inventories.ts";
import { TgtBench } from "../support/tgt-bench.ts";

const MIB = 1024 * 1024;
const FOREIGN = "iqn.2026-01.com.example:configured";
let bench: TgtBench;

beforeEach(async () => {
  const common = { uuid: null, readOnly: false, optional: false, delayMs: 0 } as const;
  const config = {
    ...emptyConfig("/nowhere"),
    volumes: new Map([["mem", { driver: "memory", sizeBytes: 2 ** 20, ...common } as const]]),
    targets: [targetConfig(FOREIGN, { luns: [lunConfig(0, "mem")] })],
  };
  bench = await TgtBench.start({ config });
});

afterEach(async () => {
  await bench.dispose();
});

describe("targets of the configuration", () => {
  it("are shown with a number", async () => {
    const text = await bench.must("-o show -m target");
    expect(text).toContain(`Target 1: ${FOREIGN}\n`);
    expect(text).toMatch(/LUN: 0\n +Type: disk\n/);
    expect(text).toContain("ACL information:\n        ALL\n");
    expect(await bench.must("-o show -m lld")).toContain(`        Target 1: ${FOREIGN}\n`);
  });

  it("are not for tgtadm to change", async () => {
    const lines = [
      "-o delete -m target -t 1",
      "-o bind -m target -t 1 -I ALL",
      "-o update -m target -t 1 -n state -v offline",
      "-o delete -m lu -t 1 -l 0",
      "-o update -m lu -t 1 -l 0 -P readonly=1",
      "-o new -m lu -t 1 -l 1 -b /dev/null -E null",
    ];
    for (const line of lines) {
      const complaint = await bench.complaint(line);
      expect(["this operation isn't supported", "invalid request"], line).toContain(complaint);
    }
    expect(bench.harness.plane.view.inventory.targets).toEqual([]);
  });
});

it("shows a volume that has its name in the pool from the configuration", async () => {
  const create = { sizeBytes: 64 * MIB, extentBytes: 65_536 };
  const pool = poolConfig({ devices: [bench.path("pool.img")], create });
  const disk = thinConfig("tank", { name: null, sizeBytes: MIB, create: true });
  const name = "iqn.2026-01.com.example:plain";
  await bench.harness.plane.change({ name: "test" }, "test", ({ inventory }) => {
    const targets = [...inventory.targets, targetConfig(name, { luns: [lunConfig(1, "disk1")] })];
    const volumes = new Map([["disk1", disk]]);
    return { ...inventory, pools: new Map([["tank", pool]]), volumes, targets };
  });
  expect(await bench.must("-o show -m target")).toContain("Backing store path: tank/disk1\n");
});

it("shows the redirection that the configuration has, and of tgt's what tgt would", () => {
  const redirect = { address: "192.0.2.1", port: 860, permanent: false };
  expect(shownParameters(targetConfig(FOREIGN, { redirect })).redirect).toEqual({
    to: "address",
    address: "192.0.2.1",
    port: "860",
    reason: "Temporary",
  });
  const settings = new Map([["RedirectCallback", "/bin/which"]]);
  expect(shownParameters(targetConfig(FOREIGN, { tgt: { settings } })).redirect).toEqual({
    to: "callback",
    program: "/bin/which",
  });
});
