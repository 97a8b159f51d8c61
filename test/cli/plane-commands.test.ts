import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { stringify } from "yaml";
import type {
  ChangeReport,
  LunReport,
  SessionReport,
  StatusReport,
  TargetReport,
} from "../../src/control/protocol.ts";
import { connect } from "../../src/initiator/connect.ts";
import { readCapacity16, reportLuns } from "../../src/initiator/scsi.ts";
import type { InitiatorSession } from "../../src/initiator/session.ts";
import { Command, run } from "./support.ts";

/*
 * Targets and all that belongs to them from the command line, with a daemon that runs: the built program.
 */

/** Each of a score of commands starts the program; on a machine with much else to do that takes seconds. */
vi.setConfig({ testTimeout: 180_000 });

const DISK = "iqn.2026-11.net.example:disk";
const HOST = "iqn.2026-11.net.example:host";
const SECRET = "wonderland-123456";
const MIB = 1024 * 1024;

let folder: string;
let daemon: Command;
let port: number;
let sessions: InitiatorSession[];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "thinlun-commands-"));
  sessions = [];
  const config = { portals: [{ listen: "127.0.0.1:0" }], volumes: {}, targets: [] };
  writeFileSync(inFolder("thinlun.yaml"), stringify(config));
  await start();
});

afterEach(async () => {
  for (const session of sessions) session.destroy();
  daemon.child.kill("SIGKILL");
  await daemon.outcome();
  rmSync(folder, { recursive: true });
});

const inFolder = (name: string): string => join(folder, name);
const state = (): string[] => ["--state-dir", inFolder("state")];

async function start(): Promise<void> {
  rmSync(inFolder("ready"), { force: true });
  const ready = ["--ready-file", inFolder("ready")];
  daemon = new Command(["serve", "--config", inFolder("thinlun.yaml"), ...state(), ...ready]);
  port = await daemon.portOf(inFolder("ready"));
}

/** A command that must succeed, and what it printed. */
async function ok(...args: string[]): Promise<string> {
  const outcome = await run(...args, ...state());
  expect(outcome, `${args.join(" ")}: ${outcome.stderr}`).toMatchObject({ status: 0 });
  return outcome.stdout;
}

async function json<Value>(...args: string[]): Promise<Value> {
  return JSON.parse(await ok(...args, "--json")) as Value;
}

async function fails(status: number, ...args: string[]): Promise<string> {
  const outcome = await run(...args, ...state());
  expect(outcome.status, args.join(" ")).toBe(status);
  return outcome.stderr;
}

async function login(user?: string): Promise<InitiatorSession> {
  const session = await connect({
    address: "127.0.0.1",
    port,
    initiatorName: HOST,
    targetName: DISK,
    ...(user === undefined ? {} : { chap: { user, secret: SECRET } }),
  });
  sessions.push(session);
  return session;
}

describe("from nothing to a disk, while the daemon runs", () => {
  it("takes four commands, and what they made outlives the daemon", async () => {
    await ok("pool", "create", "tank", "--device", inFolder("tank.img"), "--size", "64MiB");
    await ok("volume", "create", "tank/a", "--size", "16MiB");
    expect(await ok("target", "create", DISK)).toBe(`Target ${DISK} is made.\n`);
    const lun = await json<LunReport>("target", "map", DISK, "tank/a");
    expect(lun).toMatchObject({ lun: 0, volume: "tank/a", sizeBytes: 16 * MIB });
    expect((await readCapacity16(await login(), 0)).blocks).toBe((16 * MIB) / 512);
    expect(await ok("target", "list")).toMatch(new RegExp(`${DISK} +ready +1 +1 +everybody`));
    const [session] = await json<SessionReport[]>("session", "list");
    const top = await ok("top", "--interval", "0.2");
    expect(top).toContain("1 target, 1 session");
    expect(top).toMatch(new RegExp(`^ +0 +.* ${DISK} +${HOST}$`, "m"));
    expect(await fails(2, "top", "--interval", "0")).toContain("--interval");
    expect(session).toMatchObject({ initiator: HOST, target: DISK });
    daemon.child.kill("SIGKILL");
    await daemon.outcome();
    await start();
    expect(await reportLuns(await login())).toEqual([0]);
    const status = await json<StatusReport>("status");
    expect(status).toMatchObject({ targetCount: 1, lunCount: 1, poolCount: 1, sessionCount: 1 });
    expect(status.version).toMatch(/^\d+\./);
  });
});

describe("who is let in", () => {
  it("is said by rules and secrets, which are on no command line and in no output", async () => {
    await ok("target", "create", DISK);
    writeFileSync(inFolder("secret"), `${SECRET}\n`);
    const file = ["--password-file", inFolder("secret")];
    const said = [
      await ok("account", "create", "alice", ...file),
      await ok("target", "auth", DISK, "--user", "alice", "--account"),
      await ok("target", "show", DISK, "--json"),
      await ok("account", "list", "--json"),
      daemon.output,
    ];
    expect(said.join("")).not.toContain(SECRET);
    await expect(login()).rejects.toThrow();
    await login("alice");
    await ok("target", "allow", DISK, "--address", "192.0.2.1", "--address", "198.51.100.0/24");
    await expect(login("alice")).rejects.toThrow();
    expect(await fails(1, "target", "deny", DISK, "--address", "192.0.2.9")).toContain("192.0.2.1");
    await ok("target", "allow", DISK, "--address", "127.0.0.1");
    await login("alice");
    expect(await fails(1, "account", "delete", "alice", "--yes")).toContain(DISK);
  });
});

describe("sessions", () => {
  it("are asked about before they end, and before what they use goes", async () => {
    await ok("target", "create", DISK);
    const session = await login();
    expect(await fails(2, "session", "logout", "--target", DISK)).toContain("--yes");
    expect(await fails(1, "target", "delete", DISK, "--yes")).toContain(HOST);
    expect(session.closed).toBe(null);
    expect(await ok("session", "logout", "--initiator", HOST, "--yes")).toBe("Ended: 1 session.\n");
    await login();
    await ok("target", "delete", DISK, "--yes", "--force");
    expect(await json<TargetReport[]>("target", "list")).toEqual([]);
    await expect(login()).rejects.toThrow();
  });
});

describe("a file that is applied", () => {
  it("is told, done, and done again without an effect; what fails changes nothing", async () => {
    const file = inFolder("site.yaml");
    const site = {
      pools: { tank: { devices: ["tank.img"], create: { size: "64MiB" } } },
      volumes: { data: { driver: "thin", pool: "tank", size: "8MiB", create: true } },
      targets: [{ name: DISK, luns: [{ lun: 0, volume: "data" }] }],
    };
    writeFileSync(file, stringify({ ...site, portals: [{ listen: "192.0.2.99:1" }] }));
    expect(await fails(1, "apply", file)).toContain("192.0.2.99");
    expect(existsSync(inFolder("tank.img"))).toBe(false);
    writeFileSync(file, stringify(site));
    expect(await ok("apply", file, "--dry-run")).toContain(`+ target ${DISK}`);
    expect(await json<TargetReport[]>("target", "list")).toEqual([]);
    expect(await json<ChangeReport[]>("apply", file)).toHaveLength(3);
    expect(await ok("apply", file)).toContain("nothing changes");
    await login();
    writeFileSync(file, "targets: []\n");
    expect(await fails(2, "apply", file, "--prune")).toContain(`target ${DISK}`);
    await ok("apply", file, "--prune", "--yes");
    expect(await json<TargetReport[]>("target", "list")).toEqual([]);
    writeFileSync(file, "targets:\n  - nme: x\n");
    expect(await fails(2, "apply", file)).toContain(`${file}:2:5: `);
  });
});

describe("mistakes", () => {
  it("are told by what is wrong, and change nothing", async () => {
    for (const [status, complaint, ...args] of [
      [2, "iqn", "target", "create", "disk"],
      [2, "223", "target", "create", `iqn.2026-11.net.example:${"x".repeat(300)}`],
      [2, "alias", "target", "create", DISK, "--alias", "a".repeat(300)],
      [2, "digest", "target", "create", DISK, "--parameter", "digest=off"],
      [1, DISK, "target", "map", DISK, "tank/a"],
      [2, "lun", "target", "map", DISK, "tank/a", "--lun", "x"],
      [2, "nowhere", "portal", "create", "nowhere:x"],
      [2, "which sessions", "session", "logout"],
      [1, "no such session: tsih 7", "session", "logout", "7", "--yes"],
      [2, "--password-file", "account", "create", "alice"],
      [2, "cannot be read", "apply", inFolder("none.yaml")],
      [2, "more than once", "target", "create", "--alias", "a", "--alias", "b"],
    ] as const) {
      expect(await fails(status, ...args), args.join(" ")).toContain(complaint);
    }
    expect(await json<TargetReport[]>("target", "list")).toEqual([]);
  });
});
