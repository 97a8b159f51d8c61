import { afterEach, beforeEach, expect, it } from "vitest";
import { discoveryPolicy, serveDiscovery } from "../../src/control/discovery.ts";
import type { DiscoveryConfig } from "../../src/control/config/config.ts";
import type { DiscoveryPolicy } from "../../src/iscsi/login/login-types.ts";
import { PlaneHarness } from "./support/plane-harness.ts";
import { targetConfig } from "./support/inventories.ts";

let harness: PlaneHarness;

beforeEach(async () => {
  harness = await PlaneHarness.start();
});

afterEach(() => harness.dispose());

it("lets in whom commands let in, from then on", async () => {
  const { plane } = harness;
  const policies: DiscoveryPolicy[] = [];
  serveDiscovery({ configureDiscovery: (policy) => void policies.push(policy) }, plane);
  const change = (discovery: DiscoveryConfig | null): Promise<unknown> =>
    plane.change({ name: "test" }, "test", ({ inventory }) => ({ ...inventory, discovery }));
  await change({ ...plane.view.all.discovery, enabled: false });
  await plane.change({ name: "test" }, "test", ({ inventory }) => ({
    ...inventory,
    targets: [targetConfig("iqn.2026-11.net.example:a")],
  }));
  await change(null);
  expect(policies.map(({ enabled }) => enabled)).toEqual([true, false, true]);
});

it("asks for the accounts of the configuration", () => {
  const { discovery } = harness.plane.view.all;
  expect(discoveryPolicy(discovery).authentication.required).toBe(false);
});
