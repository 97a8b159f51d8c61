import { expect, it } from "vitest";
import { IsnsConnection } from "../../../src/control/isns/connection.ts";
import { IsnsServerSession } from "../../../src/control/isns/server-session.ts";
import { silentLog } from "../../../src/util/log.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { FakeIsnsServer } from "./support/isns-server.ts";

const A = "iqn.2026-11.net.example:a";
const clock = new ManualClock();

function session(server: FakeIsnsServer): IsnsServerSession {
  return new IsnsServerSession({
    settings: { serverAddress: "192.0.2.1", serverPort: 3205 },
    entity: "here",
    eventPort: 1,
    clock,
    log: silentLog,
    connect: async () => {
      const stream = await server.network.connect("", 0);
      return new IsnsConnection({ stream, clock, onChange: () => undefined });
    },
  });
}

const here = {
  targets: [{ name: A, alias: null, portalGroups: [] }],
  portals: [{ endpoint: { address: "192.0.2.7", port: 3260 }, group: 1 }],
};

it("knows with whom it is", () => {
  const one = session(new FakeIsnsServer());
  expect(one.isWith({ serverAddress: "192.0.2.1", serverPort: 3205 })).toBe(true);
  expect(one.isWith({ serverAddress: "192.0.2.1", serverPort: 3206 })).toBe(false);
  expect(one.isWith({ serverAddress: "192.0.2.2", serverPort: 3205 })).toBe(false);
});

it("says nothing where nothing is here, and does not go without having come", async () => {
  const server = new FakeIsnsServer();
  const one = session(server);
  expect(await one.bringUpToDate({ targets: [], portals: here.portals }, true)).toBeNull();
  expect(await one.bringUpToDate({ targets: here.targets, portals: [] }, true)).toBeNull();
  await one.leave();
  expect(server.connections).toHaveLength(0);
});

it.each([
  [300, 100_000],
  [0, 5_000],
  [0xffffffff, 28_800_000],
])("comes again in time where the server says %i s", async (period, ms) => {
  const server = new FakeIsnsServer();
  server.period = period;
  const one = session(server);
  expect(await one.bringUpToDate(here, false)).toBe(ms);
  clock.advance(1_000);
  expect(await one.bringUpToDate(here, false)).toBe(ms - 1_000);
  expect(server.asked).toEqual(["replace", `notices ${A}`]);
});

it("is over when it cannot say good-bye", async () => {
  const server = new FakeIsnsServer();
  const one = session(server);
  await one.bringUpToDate(here, false);
  server.refused.set(4, 11);
  await expect(one.leave()).rejects.toThrow("status 11");
  await one.leave();
});
