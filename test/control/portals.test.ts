import { createServer, type Server } from "node:net";
import { once } from "node:events";
import { afterEach, describe, expect, it } from "vitest";
import { openPortal, portalsFromArguments } from "../../src/control/portals.ts";
import { StartError } from "../../src/control/start-error.ts";
import { AccessList } from "../../src/iscsi/auth/access-list.ts";
import { AuthenticationPolicy } from "../../src/iscsi/auth/authentication-policy.ts";
import { DEFAULT_OFFERS } from "../../src/iscsi/parameters.ts";
import { IscsiServer } from "../../src/iscsi/server.ts";
import { systemClock } from "../../src/util/clock.ts";
import { silentLog } from "../../src/util/log.ts";
import { systemRandomBytes } from "../../src/util/random.ts";
import { ManualClock } from "../support/manual-clock.ts";

const server = (): IscsiServer =>
  new IscsiServer({
    log: silentLog,
    clock: systemClock,
    randomBytes: systemRandomBytes,
    poll: "off",
    discovery: {
      enabled: true,
      access: new AccessList(),
      authentication: new AuthenticationPolicy(),
      offers: DEFAULT_OFFERS,
    },
  });

let taken: Server | null = null;

afterEach(async () => {
  if (taken === null) return;
  taken.close();
  await once(taken, "close");
  taken = null;
});

describe("openPortal", () => {
  it("gives the port that was found, and resolves names", async () => {
    const target = server();
    const listen = { address: "localhost", port: 0 };
    const endpoint = await openPortal(target, { listen, group: 1, advertise: null });
    expect(endpoint.port).toBeGreaterThan(0);
    expect(["127.0.0.1", "::1"]).toContain(endpoint.address);
    await target.shutdown(0);
  });

  it("says what to do when the port is taken", async () => {
    taken = createServer();
    taken.listen(0, "127.0.0.1");
    await once(taken, "listening");
    const bound = taken.address();
    const port = bound !== null && typeof bound === "object" ? bound.port : 0;
    const target = server();
    const listen = { address: "127.0.0.1", port };
    const opening = openPortal(target, { listen, group: 1, advertise: null });
    await expect(opening).rejects.toThrow(StartError);
    await expect(opening).rejects.toThrow(`cannot listen on 127.0.0.1:${port}: another program`);
    await expect(opening).rejects.toThrow(`ss -ltnp 'sport = :${port}'`);
    await target.shutdown(0);
  });

  it("says when the address is not this host's, or cannot be found", async () => {
    const target = server();
    // Of the block for documentation, RFC 5737.
    const foreign = { listen: { address: "192.0.2.1", port: 0 }, group: 1, advertise: null };
    await expect(openPortal(target, foreign)).rejects.toThrow(/no network interface/);
    const unknown = { ...foreign, listen: { address: "host.invalid", port: 0 } };
    await expect(openPortal(target, unknown)).rejects.toThrow(/host\.invalid cannot be found/);
    await target.shutdown(0);
  });

  it("waits for no name service that does not answer", async () => {
    const target = server();
    const clock = new ManualClock();
    const lookup = () => new Promise<never>(() => undefined);
    const portal = { listen: { address: "portal.example", port: 0 }, group: 1, advertise: null };
    const opening = expect(openPortal(target, portal, { clock, lookup })).rejects.toThrow(
      "portal.example cannot be found: the name service does not answer",
    );
    clock.advance(20_000);
    await opening;
    expect(target.portals).toEqual([]);
    await target.shutdown(0);
  });
});

describe("portalsFromArguments", () => {
  it("reads addresses as the configuration does", () => {
    expect(portalsFromArguments(["[::1]:0", "127.0.0.1"])).toEqual([
      { listen: { address: "::1", port: 0 }, group: 1, advertise: null },
      { listen: { address: "127.0.0.1", port: 3260 }, group: 1, advertise: null },
    ]);
  });

  it("refuses what is none", () => {
    expect(() => portalsFromArguments(["127.0.0.1:x"])).toThrow(/^--portal: /);
  });
});
