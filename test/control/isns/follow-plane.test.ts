import { expect, it } from "vitest";
import { IsnsClient } from "../../../src/control/isns/client.ts";
import { followPlane } from "../../../src/control/isns/follow-plane.ts";
import type { Registration } from "../../../src/control/isns/registration.ts";
import type { ControlPlane } from "../../../src/control/plane/control-plane.ts";
import type { OpenPortal } from "../../../src/control/portal-store.ts";
import { systemClock } from "../../../src/util/clock.ts";
import { eventually } from "../../support/in-process-target.ts";
import { hangUp } from "../support/hang-up.ts";
import { targetConfig } from "../support/inventories.ts";
import { emptyConfig, PlaneHarness } from "../support/plane-harness.ts";
import { FakeIsnsServer } from "./support/isns-server.ts";

const A = "iqn.2026-11.net.example:a";
const B = "iqn.2026-11.net.example:b";

it("registers what there is, and what changes, until its end", () => {
  const targets = [{ name: A, alias: null, portalGroups: [] }];
  const listeners = new Set<() => void>();
  const plane = {
    view: { all: { targets } },
    subscribe: (listener: () => void) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  } as unknown as ControlPlane;
  const registered: Registration[] = [];
  const end = followPlane({
    client: { register: (registration) => registered.push(registration) },
    plane,
    portals: () => [],
    hostAddresses: () => [],
  });
  targets.push({ name: B, alias: null, portalGroups: [] });
  for (const listener of listeners) listener();
  expect(registered.map((one) => one.targets.map(({ name }) => name))).toEqual([[A], [A, B]]);
  end();
  expect(listeners.size).toBe(0);
});

it("registers portals by what initiators are told, where that is an address", () => {
  const portal = (advertise: string | null): OpenPortal => ({
    config: {
      listen: { address: "10.0.0.1", port: 3260 },
      group: 7,
      advertise: advertise === null ? null : { address: advertise, port: 3261 },
    },
    endpoint: { address: "10.0.0.1", port: 3260 },
  });
  const registered: Registration[] = [];
  followPlane({
    client: { register: (registration) => registered.push(registration) },
    plane: {
      view: { all: { targets: [] } },
      subscribe: () => () => undefined,
    } as unknown as ControlPlane,
    portals: () => [portal(null), portal("192.0.2.1"), portal("disks.example.net")],
    hostAddresses: () => [],
  });
  expect(registered[0]?.portals).toEqual([
    { endpoint: { address: "10.0.0.1", port: 3260 }, group: 7 },
    { endpoint: { address: "192.0.2.1", port: 3261 }, group: 7 },
    { endpoint: { address: "10.0.0.1", port: 3260 }, group: 7 },
  ]);
});

it("registers what the configuration has by now when it is read again, and what tgtadm takes from it", async () => {
  const server = new FakeIsnsServer();
  const harness = await PlaneHarness.start();
  const { plane, parts, folder } = harness;
  const { log, portals } = parts;
  const { network } = server;
  const client = new IsnsClient({ network, clock: systemClock, log, entity: "here" });
  const end = followPlane({
    client,
    plane,
    portals: () => portals.portals,
    hostAddresses: () => [],
  });
  const having = (...names: string[]) => ({
    ...emptyConfig(folder),
    targets: names.map((name) => targetConfig(name)),
  });
  try {
    await hangUp(harness, having(A));
    const isns = { serverAddress: "192.0.2.1", serverPort: 3205, accessControl: false };
    client.configure({ ...isns, enabled: true });
    await eventually(() => server.nodes.has(A), "what is there is registered");
    await hangUp(harness, having(B));
    await eventually(() => server.nodes.has(B) && !server.nodes.has(A), "the other one is");
    const { config } = plane.view;
    const [portal] = config.portals;
    if (portal === undefined) throw new Error("there is a portal");
    expect(server.portals.size).toBe(1);
    await plane.exclusively(async () => {
      await portals.close(portal);
      plane.adopt({ ...config, portals: [] });
    });
    await eventually(() => server.portals.size === 0, "the portal is registered no more");
  } finally {
    end();
    await client.close();
    await harness.dispose();
  }
});
