import { expect, it } from "vitest";
import { followPlane } from "../../../src/control/isns/follow-plane.ts";
import type { Registration } from "../../../src/control/isns/registration.ts";
import type { ControlPlane } from "../../../src/control/plane/control-plane.ts";
import type { OpenPortal } from "../../../src/control/portal-store.ts";

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
  const follower = followPlane({
    client: { register: (registration) => registered.push(registration) },
    plane,
    portals: () => [],
    hostAddresses: () => [],
  });
  targets.push({ name: B, alias: null, portalGroups: [] });
  for (const listener of listeners) listener();
  follower.refresh();
  expect(registered.map((one) => one.targets.map(({ name }) => name))).toEqual([
    [A],
    [A, B],
    [A, B],
  ]);
  follower.end();
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
