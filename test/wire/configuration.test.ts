import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { runDaemon, type Running } from "../../src/daemon.ts";
import { connect, type ConnectOptions } from "../../src/initiator/connect.ts";
import { discover, type DiscoveredTarget } from "../../src/initiator/discovery.ts";
import { InitiatorError } from "../../src/initiator/initiator-error.ts";
import {
  inquiry,
  read,
  readCapacity16,
  reportLuns,
  vitalProductData,
  write,
} from "../../src/initiator/scsi.ts";
import type { InitiatorSession } from "../../src/initiator/session.ts";

/*
 * Every key of the configuration that an initiator can see the effect of, from the YAML file to the wire. What it reads
 * as is tested at src/control/config; what the server makes of its settings, with the server.
 */

const NAME = "iqn.2026-11.net.example:disk";
const INITIATOR = "iqn.2026-11.net.example:tester";
const MIB = 1024 * 1024;
const VOLUMES = { mem: { driver: "memory", size: "1MiB" } };
const LUNS = [{ lun: 0, volume: "mem" }];

let folder: string;
let ending: Promise<unknown> | null;
let sessions: InitiatorSession[];
let running: Running;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "thinlun-keys-"));
  ending = null;
  sessions = [];
});

afterEach(async () => {
  for (const session of sessions) session.destroy();
  if (ending !== null) process.emit("SIGTERM", "SIGTERM");
  await ending;
  rmSync(folder, { recursive: true });
});

/** Runs a daemon with this configuration until the test is over. */
async function serve(content: object): Promise<void> {
  const configFile = join(folder, "thinlun.yaml");
  const portals = [{ listen: "127.0.0.1:0" }];
  writeFileSync(configFile, stringify({ stateDir: "kept", portals, ...content }), { mode: 0o600 });
  const options = {
    configFile,
    stateDir: null,
    portals: [],
    logLevel: "silent",
    ready: { file: null, fd: null },
    terminal: false,
  } as const;
  await new Promise<void>((ready, failed) => {
    ending = runDaemon(options, (state) => {
      running = state;
      ready();
    });
    ending.catch(failed);
  });
}

/** Runs a daemon with one target of these settings. */
function serveTarget(settings: object, rest: object = {}): Promise<void> {
  const target = { name: NAME, luns: LUNS, ...settings };
  return serve({ volumes: VOLUMES, targets: [target], ...rest });
}

async function logIn(
  options: Partial<ConnectOptions> = {},
  portal: number = 0,
): Promise<InitiatorSession> {
  const { address, port } = running.portals[portal]!;
  const base = { address, port, targetName: NAME, initiatorName: INITIATOR };
  const session = await connect({ ...base, ...options });
  sessions.push(session);
  return session;
}

function list(options: Partial<ConnectOptions> = {}): Promise<DiscoveredTarget[]> {
  const { address, port } = running.portals[0]!;
  return discover({ address, port, initiatorName: INITIATOR, ...options });
}

/** The status with which a login is refused, class and detail as one number. */
async function refusal(login: Promise<unknown>): Promise<number> {
  const error: unknown = await login.then(
    () => new Error("it was let in"),
    (reason: unknown) => reason,
  );
  if (!(error instanceof InitiatorError)) throw error;
  const { statusClass, statusDetail } = error.context;
  if (statusClass === undefined || statusDetail === undefined) throw error;
  return (statusClass << 8) | statusDetail;
}

const AUTHENTICATION_FAILURE = 0x0201;
const FORBIDDEN = 0x0202;
const NOT_FOUND = 0x0203;
const OUT_OF_RESOURCES = 0x0302;

describe("portals", () => {
  const targets = [
    { name: NAME, luns: LUNS },
    { name: `${NAME}2`, luns: [], portalGroups: [7] },
  ];

  it("listen, group and advertise, and portalGroups of targets", async () => {
    const portals = [
      { listen: "127.0.0.1:0", advertise: "198.51.100.7:3261" },
      { listen: "127.0.0.2:0", group: 7 },
    ];
    await serve({ volumes: VOLUMES, targets, portals });
    expect(running.portals.map(({ address }) => address)).toEqual(["127.0.0.1", "127.0.0.2"]);
    const own = { address: "127.0.0.2", port: running.portals[1]!.port, portalGroupTag: 7 };
    expect(await list()).toEqual([
      {
        name: NAME,
        portals: [{ address: "198.51.100.7", port: 3261, portalGroupTag: 1 }, own],
      },
      { name: `${NAME}2`, portals: [own] },
    ]);
    const second = { targetName: `${NAME}2` };
    expect(await refusal(logIn(second))).toBe(NOT_FOUND);
    expect((await logIn(second, 1)).parameters.targetPortalGroupTag).toBe(7);
  });
});

describe("volumes and luns", () => {
  it("driver, size, create, readOnly and uuid", async () => {
    const uuid = "6fa459ea-ee8a-4ca4-894e-db77e160355e";
    const volumes = {
      file: { driver: "raw", path: "disk.img", size: "2MiB", create: true, uuid },
      direct: { driver: "raw", path: "direct.img", size: "3MiB", create: true, direct: true },
      fixed: { driver: "memory", size: "4MiB", readOnly: true, delayMs: 1 },
      missing: { driver: "raw", path: "nothing.img", optional: true },
    };
    const luns = ["file", "direct", "fixed", "missing"].map((volume, lun) => ({ lun, volume }));
    await serveTarget({ luns }, { volumes });
    const session = await logIn();
    expect(await reportLuns(session)).toEqual([0, 1, 2]);
    for (const lun of [0, 1, 2]) {
      const { blocks } = await readCapacity16(session, lun);
      expect(blocks).toBe(((lun + 2) * MIB) / 512);
    }
    const serial = Buffer.from(await vitalProductData(session, 0, 0x80)).toString("latin1", 4);
    expect(serial.replaceAll("-", "")).toContain(uuid.replaceAll("-", ""));
    const data = Buffer.alloc(4096, 0x5a);
    for (const lun of [0, 1]) {
      const range = { lun, lba: 8, blocks: 8, blockBytes: 512 };
      await write(session, range, data);
      expect(Buffer.from(await read(session, range))).toEqual(data);
    }
    const onFixed = write(session, { lun: 2, lba: 0, blocks: 8, blockBytes: 512 }, data);
    await expect(onFixed).rejects.toMatchObject({ context: { sense: { key: 7 } } });
  });

  it("lun, blockSize, readOnly, vendor, product, revision and serial", async () => {
    const identity = { vendor: "EXAMPLE", product: "FAST", revision: "2.1", serial: "0042" };
    await serveTarget({
      luns: [{ lun: 300, volume: "mem", blockSize: 4096, readOnly: true, ...identity }],
    });
    const session = await logIn();
    expect(await reportLuns(session)).toEqual([300]);
    expect(await readCapacity16(session, 300)).toMatchObject({ blocks: 256, blockBytes: 4096 });
    const { vendor, product, revision } = identity;
    expect(await inquiry(session, 300)).toMatchObject({ vendor, product, revision });
    const serial = await vitalProductData(session, 300, 0x80);
    expect(Buffer.from(serial).toString("latin1", 4)).toBe("0042");
    const range = { lun: 300, lba: 0, blocks: 1, blockBytes: 4096 };
    await expect(write(session, range, Buffer.alloc(4096))).rejects.toMatchObject({
      context: { sense: { key: 7 } },
    });
  });
});

describe("targets", () => {
  it("alias and sessions", async () => {
    await serveTarget({ alias: "the first disk", sessions: 1 });
    expect((await logIn()).parameters.targetAlias).toBe("the first disk");
    expect(await refusal(logIn())).toBe(OUT_OF_RESOURCES);
  });

  it.each([false, true])("redirect, permanent: %s", async (permanent) => {
    await serveTarget({ luns: [], redirect: { address: "192.0.2.9:3261", permanent } });
    const login = logIn({ followRedirects: false });
    await expect(login).rejects.toMatchObject({ context: { targetAddress: "192.0.2.9:3261" } });
    expect(await refusal(login)).toBe(permanent ? 0x0102 : 0x0101);
  });

  const alice = { user: "alice", secret: "secret-of-alice" };
  const self = { user: "disk", secret: "secret-of-target" };
  const accounts = [{ user: "alice", password: alice.secret }];

  it("auth.accounts and auth.algorithms", async () => {
    await serveTarget({ auth: { accounts, algorithms: ["sha256"] } });
    await logIn({ chap: alice });
    expect(await refusal(logIn())).toBe(AUTHENTICATION_FAILURE);
    const wrong = { ...alice, secret: "not-the-secret" };
    expect(await refusal(logIn({ chap: wrong }))).toBe(AUTHENTICATION_FAILURE);
    const weak = { ...alice, algorithms: ["md5"] } as const;
    expect(await refusal(logIn({ chap: weak }))).toBe(AUTHENTICATION_FAILURE);
  });

  it("auth.mutual and auth.mutualRequired", async () => {
    const mutual = { user: self.user, password: self.secret };
    await serveTarget({ auth: { accounts, mutual, mutualRequired: true } });
    await logIn({ chap: { ...alice, mutual: self } });
    expect(await refusal(logIn({ chap: alice }))).toBe(AUTHENTICATION_FAILURE);
  });

  it.each([
    [{ addresses: ["192.0.2.0/24"] }, false],
    [{ addresses: ["127.0.0.0/8"] }, true],
    [{ initiators: ["iqn.1993-08.org.debian:*"] }, false],
    [{ initiators: ["iqn.2026-11.*"] }, true],
    [{ addresses: ["192.0.2.0/24"], initiators: [INITIATOR] }, false],
    [{ addresses: ["192.0.2.0/24"], initiators: [INITIATOR], match: "any" }, true],
  ])("allow: %j", async (allow, admitted) => {
    await serveTarget({ allow });
    expect((await list()).map(({ name }) => name)).toEqual(admitted ? [NAME] : []);
    if (admitted) await logIn();
    else expect(await refusal(logIn())).toBe(FORBIDDEN);
  });

  it("parameters", async () => {
    await serveTarget({
      parameters: {
        headerDigest: "required",
        dataDigest: "off",
        maxRecvDataSegmentLength: "32KiB",
        maxBurstLength: "128KiB",
        firstBurstLength: "16KiB",
        maxOutstandingR2T: 3,
        initialR2T: true,
        immediateData: true,
        defaultTime2Wait: 4,
        defaultTime2Retain: 10,
      },
    });
    const session = await logIn({ digests: { header: "preferred", data: "preferred" } });
    expect(session.parameters).toMatchObject({
      headerDigest: true,
      dataDigest: false,
      targetMaxRecvDataSegmentLength: 32_768,
      maxBurstLength: 131_072,
      firstBurstLength: 16_384,
      maxOutstandingR2t: 3,
      initialR2t: true,
      immediateData: true,
      defaultTime2WaitSeconds: 4,
      // The smaller one counts, and the initiator keeps nothing.
      defaultTime2RetainSeconds: 0,
    });
    await expect(logIn()).rejects.toThrow(InitiatorError);
  });

  it("parameters, the other way round", async () => {
    await serveTarget({ parameters: { immediateData: false, dataDigest: "preferred" } });
    const { parameters } = await logIn({ digests: { header: "none", data: "preferred" } });
    expect(parameters).toMatchObject({
      immediateData: false,
      initialR2t: false,
      headerDigest: false,
      dataDigest: true,
    });
  });
});

describe("discovery", () => {
  it("enabled: false", async () => {
    await serveTarget({}, { discovery: { enabled: false } });
    await expect(list()).rejects.toThrow(InitiatorError);
    await logIn();
  });

  it("auth", async () => {
    const auth = { accounts: [{ user: "lister", password: "secret-of-lister" }] };
    await serveTarget({}, { discovery: { auth } });
    expect(await refusal(list())).toBe(AUTHENTICATION_FAILURE);
    const chap = { user: "lister", secret: "secret-of-lister" };
    expect(await list({ chap })).toHaveLength(1);
    await logIn();
  });

  it("allow", async () => {
    await serveTarget({}, { discovery: { allow: { addresses: ["192.0.2.0/24"] } } });
    expect(await refusal(list())).toBe(FORBIDDEN);
    await logIn();
  });
});

describe("the rest", () => {
  it("limits.connections, stateDir and poll", async () => {
    await serveTarget({}, { limits: { connections: 2 }, poll: "off" });
    expect(running.stateDir).toBe(join(folder, "kept"));
    await logIn();
    await logIn();
    await expect(logIn()).rejects.toThrow(InitiatorError);
  });
});
