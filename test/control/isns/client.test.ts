import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { IsnsClient, type IsnsSettings } from "../../../src/control/isns/client.ts";
import { IsnsFunction } from "../../../src/control/isns/constants.ts";
import { NOTICE_MS_MIN } from "../../../src/control/isns/limits.ts";
import type { Registration } from "../../../src/control/isns/registration.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { type LogLine, recordingLog } from "../../support/recording-log.ts";
import { FakeIsnsServer, INITIATOR } from "./support/isns-server.ts";

const A = "iqn.2026-11.net.example:a";
const B = "iqn.2026-11.net.example:b";
const HOST = "iqn.2026-11.net.example:host";

const settings = (changes: Partial<IsnsSettings> = {}): IsnsSettings => ({
  enabled: true,
  serverAddress: "192.0.2.1",
  serverPort: 3205,
  accessControl: false,
  ...changes,
});

const here = (names: readonly string[], port = 3260): Registration => ({
  targets: names.map((name) => ({ name, alias: null, portalGroups: [] })),
  portals: [{ endpoint: { address: "192.0.2.7", port }, group: 1 }],
});

let server: FakeIsnsServer;
let clock: ManualClock;
let lines: LogLine[];
let client: IsnsClient;

beforeEach(() => {
  server = new FakeIsnsServer();
  clock = new ManualClock();
  lines = [];
  const log = recordingLog(lines);
  client = new IsnsClient({ network: server.network, clock, log, entity: "here" });
});

afterEach(async () => {
  const closed = client.close();
  await settle();
  clock.advance(10_000);
  await closed;
});

/** Lets everything happen that waits for nothing but its turn. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** Tells the client once what is here and to whom to tell it. */
async function start(wanted: IsnsSettings, registration: Registration): Promise<void> {
  client.register(registration);
  await settle();
  client.configure(wanted);
}

/** What was asked since the last time. */
async function asked(): Promise<string[]> {
  await settle();
  return server.asked.splice(0);
}

describe("registration", () => {
  it("says what is here, first in the place of what an earlier run has left", async () => {
    server.nodes.set("iqn.2026-11.net.example:old", { entity: "here", type: 1 });
    client.register(here([A, B]));
    expect(await asked()).toEqual([]);
    client.configure(settings());
    expect(await asked()).toEqual(["replace", `notices ${A}`, `notices ${B}`]);
    expect([...server.nodes.keys()]).toEqual([A, B]);
    expect([...server.portals]).toEqual(["192.0.2.7:3260"]);
    expect([...server.groups]).toEqual([`${A} 192.0.2.7:3260 1`, `${B} 192.0.2.7:3260 1`]);
  });

  it("says it however soon it comes after the last", async () => {
    await start(settings(), here([A]));
    for (let turns = 0; turns < 20; turns++) {
      client.register(here([A]));
      await settle();
      expect([...server.nodes.keys()]).toEqual([A]);
      // Nothing is different: that is soon done.
      client.register(here([A]));
      for (let turn = 0; turn < turns; turn++) await Promise.resolve();
      client.register(here([A, B]));
      await settle();
      expect([...server.nodes.keys()], `${turns} turns later`).toEqual([A, B]);
    }
  });

  it("says what comes and what goes, and no more", async () => {
    await start(settings(), here([A]));
    await asked();
    client.register(here([A, B]));
    expect(await asked()).toEqual(["register", `notices ${A}`, `notices ${B}`]);
    client.register(here([B]));
    expect(await asked()).toEqual(["deregister"]);
    expect([...server.nodes.keys()]).toEqual([B]);
    client.register(here([B]));
    expect(await asked()).toEqual([]);
  });

  it("replaces all where portals are others", async () => {
    await start(settings(), here([A]));
    await asked();
    client.register(here([A], 3261));
    expect(await asked()).toEqual(["replace", `notices ${A}`]);
    expect([...server.portals]).toEqual(["192.0.2.7:3261"]);
  });

  it("is repeated before the server forgets it", async () => {
    server.period = 90;
    await start(settings(), here([A]));
    await asked();
    clock.advance(29_999);
    expect(await asked()).toEqual([]);
    clock.advance(1);
    expect(await asked()).toEqual(["register", `notices ${A}`]);
    clock.advance(30_000);
    expect(await asked()).toEqual(["register", `notices ${A}`]);
  });

  it("is taken back when nothing is here any more, when it is switched off, and at the end", async () => {
    await start(settings(), here([A]));
    await asked();
    client.register(here([]));
    expect(await asked()).toEqual(["deregister"]);
    client.register(here([A]));
    expect(await asked()).toEqual(["replace", `notices ${A}`]);
    client.configure(settings({ enabled: false }));
    expect(await asked()).toEqual(["deregister"]);
    expect(server.isListenedTo).toBe(false);
    client.configure(settings());
    await asked();
    await client.close();
    expect(await asked()).toEqual(["deregister"]);
    expect(server.nodes.size).toBe(0);
    client.register(here([B]));
    expect(await asked()).toEqual([]);
  });

  it("moves to another server", async () => {
    await start(settings(), here([A]));
    await asked();
    client.configure(settings({ serverAddress: "192.0.2.2" }));
    expect(await asked()).toEqual(["deregister", "replace", `notices ${A}`]);
    client.configure(settings({ serverAddress: "" }));
    expect(await asked()).toEqual(["deregister"]);
  });

  it("goes without inquiries where the server has none", async () => {
    server.refused.set(IsnsFunction.inquiry, 21);
    await start(settings(), here([A]));
    expect(await asked()).toEqual(["replace", "replace", `notices ${A}`]);
    expect([...server.nodes.keys()]).toEqual([A]);
  });
});

describe("a server that", () => {
  it("cannot be reached is tried again, ever less often", async () => {
    server.unreachable = 3;
    await start(settings(), here([A]));
    await settle();
    for (const ms of [2_000, 4_000, 8_000]) {
      expect(server.connections).toHaveLength(0);
      clock.advance(ms - 1);
      await settle();
      expect(server.connections).toHaveLength(0);
      clock.advance(1);
      await settle();
    }
    expect(await asked()).toEqual(["replace", `notices ${A}`]);
    expect(lines.filter(({ level }) => level === "warn")).toHaveLength(3);
  });

  it("cannot be reached is not tried again before its time, whatever is told", async () => {
    server.unreachable = 100;
    await start(settings(), here([A]));
    await settle();
    for (let told = 0; told < 10; told++) {
      expect(await server.notify(A)).toMatchObject({ status: 0 });
      await settle();
    }
    expect(server.unreachable).toBe(99);
    clock.advance(2_000);
    await settle();
    expect(server.unreachable).toBe(98);
  });

  it("does not answer is not tried at once for what is told meanwhile", async () => {
    server.isSilent = true;
    await start(settings(), here([A]));
    expect(await asked()).toEqual(["replace"]);
    await server.notify(A);
    clock.advance(10_000);
    await settle();
    expect(server.connections).toHaveLength(1);
    server.isSilent = false;
    clock.advance(2_000);
    expect(await asked()).toEqual(["replace", `notices ${A}`]);
  });

  it("does not answer is hung up on, and tried again", async () => {
    server.isSilent = true;
    await start(settings(), here([A]));
    expect(await asked()).toEqual(["replace"]);
    clock.advance(10_000);
    await settle();
    server.isSilent = false;
    clock.advance(2_000);
    expect(await asked()).toEqual(["replace", `notices ${A}`]);
    expect(server.connections).toHaveLength(2);
  });

  it("refuses is tried again", async () => {
    server.refused.set(IsnsFunction.register, 8);
    await start(settings(), here([A]));
    expect(await asked()).toEqual(["replace"]);
    expect(String(lines[0]?.fields["error"])).toContain("status 8");
    server.refused.clear();
    clock.advance(2_000);
    expect(await asked()).toEqual(["replace", `notices ${A}`]);
  });

  it("hangs up is reached anew with the next change", async () => {
    await start(settings(), here([A]));
    await asked();
    server.connections[0]?.end();
    await settle();
    client.register(here([A, B]));
    expect(await asked()).toEqual(["register", `notices ${A}`, `notices ${B}`]);
    expect(server.connections).toHaveLength(2);
  });

  it("has forgotten everything is told everything", async () => {
    await start(settings(), here([A, B]));
    await asked();
    server.nodes.clear();
    server.refused.set(IsnsFunction.deregister, 6);
    client.register(here([A]));
    expect(await asked()).toEqual(["deregister", "replace", `notices ${A}`]);
    expect([...server.nodes.keys()]).toEqual([A]);
  });

  it("refuses to tell of changes is asked at intervals only", async () => {
    server.refused.set(IsnsFunction.registerNotices, 17);
    await start(settings(), here([A]));
    expect(await asked()).toEqual(["replace", `notices ${A}`]);
    expect(lines.filter(({ level }) => level === "warn")).toHaveLength(1);
  });

  it("does not hold up the end", async () => {
    await start(settings(), here([A]));
    await settle();
    server.isSilent = true;
    const closed = client.close();
    await settle();
    clock.advance(2_000);
    await closed;
    expect(server.clients.map(({ destroyed }) => destroyed)).toEqual([true]);
  });
});

describe("access control", () => {
  beforeEach(() => {
    server.register(HOST, INITIATOR);
    server.domains.push(new Set([A, HOST]));
  });

  it("lets in everybody where it is off", async () => {
    expect(client.allows(A, HOST)).toBe(true);
    await start(settings(), here([A, B]));
    expect(await asked()).not.toContain(`query ${A}`);
    expect(client.allows(B, HOST)).toBe(true);
    client.configure(settings({ enabled: false, accessControl: true }));
    expect(client.allows(B, HOST)).toBe(true);
  });

  it("lets in who is in a common discovery domain, in whatever case, and nobody before that is known", async () => {
    await start(settings({ accessControl: true }), here([A, B]));
    expect(client.allows(A, HOST)).toBe(false);
    expect(await asked()).toEqual([
      "replace",
      `notices ${A}`,
      `notices ${B}`,
      `query ${A}`,
      `query ${B}`,
    ]);
    expect(client.allows(A, HOST)).toBe(true);
    expect(client.allows(A, HOST.toUpperCase())).toBe(true);
    expect(client.allows(B, HOST)).toBe(false);
    expect(client.allows(A, B)).toBe(false);
    expect(client.allows("iqn.2026-11.net.example:none", HOST)).toBe(false);
  });

  it("follows what the server tells, without a new registration", async () => {
    await start(settings({ accessControl: true }), here([A]));
    await asked();
    server.domains.splice(0);
    expect(await server.notify(A)).toMatchObject({ status: 0 });
    expect(await asked()).toEqual([`query ${A}`]);
    expect(client.allows(A, HOST)).toBe(false);
  });

  it("is asked for once a second at most, and for what was told last, too", async () => {
    await start(settings({ accessControl: true }), here([A]));
    await asked();
    for (let told = 0; told < 10; told++) {
      await server.notify(A);
      await settle();
    }
    expect(await asked()).toEqual([`query ${A}`]);
    server.domains.splice(0);
    clock.advance(NOTICE_MS_MIN - 1);
    expect(await asked()).toEqual([]);
    clock.advance(1);
    expect(await asked()).toEqual([`query ${A}`]);
    expect(client.allows(A, HOST)).toBe(false);
    clock.advance(NOTICE_MS_MIN);
    expect(await asked()).toEqual([]);
  });

  it("keeps to what was said last while the server is gone", async () => {
    await start(settings({ accessControl: true }), here([A]));
    await asked();
    server.connections[0]?.end();
    server.unreachable = 1;
    await server.notify(A);
    await settle();
    expect(client.allows(A, HOST)).toBe(true);
  });

  it("is forgotten with the target", async () => {
    await start(settings({ accessControl: true }), here([A, B]));
    await asked();
    client.register(here([B]));
    await asked();
    expect(client.allows(A, HOST)).toBe(false);
  });
});
