import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { connect as connectSocket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { connect } from "../../src/initiator/connect.ts";
import { discover } from "../../src/initiator/discovery.ts";
import {
  read,
  readCapacity16,
  testUnitReady,
  vitalProductData,
  write,
} from "../../src/initiator/scsi.ts";
import type { InitiatorSession } from "../../src/initiator/session.ts";
import { run } from "../support/program.ts";
import { Command, type Outcome } from "./support.ts";

const DEMO = "iqn.2026-11.net.thinlun:demo";
const DISK = "iqn.2026-11.net.example:disk";
const INITIATOR = "iqn.2026-11.net.example:tester";
const MIB = 1024 * 1024;

let folder: string;
let commands: Command[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "thinlun-serve-"));
  commands = [];
});

afterEach(async () => {
  for (const command of commands) {
    command.child.kill("SIGKILL");
    await command.outcome();
  }
  rmSync(folder, { recursive: true });
});

const inFolder = (name: string): string => join(folder, name);

/** Starts `thinlun serve` with a state folder of the test. */
function serve(...args: string[]): Command {
  return serveIn("state", ...args);
}

function serveIn(stateDir: string, ...args: string[]): Command {
  const command = new Command(["serve", "--state-dir", inFolder(stateDir), ...args]);
  commands.push(command);
  return command;
}

/** The same, on any free port, ready for logins. */
async function serving(...args: string[]): Promise<{ command: Command; port: number }> {
  const ready = inFolder("ready");
  rmSync(ready, { force: true });
  const command = serve("--portal", "127.0.0.1:0", "--ready-file", ready, ...args);
  return { command, port: await command.portOf(ready) };
}

function failing(...args: string[]): Promise<Outcome> {
  return serve(...args).outcome();
}

function logIn(port: number, targetName: string): Promise<InitiatorSession> {
  return connect({ address: "127.0.0.1", port, targetName, initiatorName: INITIATOR });
}

function config(content: object, name: string = "thinlun.yaml"): string {
  writeFileSync(inFolder(name), stringify(content), { mode: 0o600 });
  return inFolder(name);
}

const messagesOf = (command: Command): string[] =>
  command.output
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => (JSON.parse(line) as { msg: string }).msg);

const diskTarget = (volume: string): object => ({
  name: DISK,
  luns: [{ lun: 0, volume }],
});

describe("thinlun serve without a configuration", () => {
  it("exports a disk that survives a restart, with its identity", async () => {
    const first = await serving();
    const found = await discover({
      address: "127.0.0.1",
      port: first.port,
      initiatorName: INITIATOR,
    });
    expect(found.map(({ name }) => name)).toEqual([DEMO]);
    const data = Buffer.alloc(4096, 0x5a);
    const before = await logIn(first.port, DEMO);
    expect(await readCapacity16(before, 0)).toMatchObject({ blocks: 2 ** 24, blockBytes: 512 });
    const range = { lun: 0, lba: 100, blocks: 8, blockBytes: 512 };
    await write(before, range, data);
    const identity = await vitalProductData(before, 0, 0x83);
    await before.logout();
    expect((await first.command.stop()).status).toBe(0);

    const second = await serving();
    const after = await logIn(second.port, DEMO);
    expect(Buffer.from(await read(after, range))).toEqual(data);
    expect(await vitalProductData(after, 0, 0x83)).toEqual(identity);
    await after.logout();
    expect((await second.command.stop()).status).toBe(0);
  });

  it("keeps what it acknowledged when it is killed", async () => {
    const first = await serving();
    const session = await logIn(first.port, DEMO);
    const data = Buffer.alloc(64 * 1024, 0xc3);
    const range = { lun: 0, lba: 2048, blocks: 128, blockBytes: 512 };
    await write(session, range, data);
    first.command.child.kill("SIGKILL");
    await first.command.outcome();
    const second = await serving();
    const after = await logIn(second.port, DEMO);
    expect(Buffer.from(await read(after, range)).equals(data)).toBe(true);
    await after.logout();
    await second.command.stop();
  });

  it("leaves the disk of an earlier version alone, and says where it is", async () => {
    mkdirSync(inFolder("state"));
    writeFileSync(inFolder("state/demo.img"), "an earlier disk");
    const { command, port } = await serving();
    const session = await logIn(port, DEMO);
    expect((await readCapacity16(session, 0)).blocks).toBe(2 ** 24);
    await session.logout();
    const { stdout } = await command.stop();
    expect(stdout).toContain(inFolder("state/demo.img"));
    expect(readFileSync(inFolder("state/demo.img"), "utf8")).toBe("an earlier disk");
  });

  it("says on the screen what it made and what to type", async () => {
    const { command, port } = await serving();
    await command.says("To stop:");
    const { status, stderr } = await command.stop();
    expect(status).toBe(0);
    expect(stderr).toContain(`iscsiadm -m discovery -t sendtargets -p 127.0.0.1:${port}`);
    expect(stderr).toContain(inFolder("state/demo-pool.img"));
    expect(statSync(inFolder("state/demo-pool.img")).mode & 0o777).toBe(0o600);
  });
});

describe("thinlun serve", () => {
  it("stops in order, with initiators that are still logged in", async () => {
    const { command, port } = await serving();
    const asked: number[] = [];
    const session = await connect({
      address: "127.0.0.1",
      port,
      targetName: DEMO,
      initiatorName: INITIATOR,
      events: { asyncMessage: ({ asyncEvent }) => void asked.push(asyncEvent) },
    });
    const { status } = await command.stop();
    expect(status).toBe(0);
    // Event 1: the target asks for a logout (RFC 7143 11.9.1).
    expect(asked).toEqual([1]);
    const messages = messagesOf(command);
    const order = ["listening", "shutting down; a second signal ends at once", "stopped"];
    expect(messages.filter((message) => order.includes(message))).toEqual(order);
    await session.logout().catch(() => undefined);
  });

  it("has a thread pool that one slow disk cannot take up", async () => {
    const { command } = await serving();
    const threads = readdirSync(`/proc/${command.child.pid}/task`).length;
    expect(threads).toBeGreaterThan(32);
    await command.stop();
  });

  it("goes on when nobody reads its output any more", async () => {
    const { command, port } = await serving("--log-level", "trace");
    command.child.stdout?.destroy();
    command.child.stderr?.destroy();
    for (let round = 0; round < 3; round += 1) {
      const session = await logIn(port, DEMO);
      expect((await readCapacity16(session, 0)).blocks).toBe(2 ** 24);
      await session.logout();
    }
    expect((await command.stop()).status).toBe(0);
  });

  it("serves and stops while the reader of its output sleeps", async () => {
    const { command, port } = await serving("--log-level", "trace");
    command.child.stdout?.pause();
    const session = await logIn(port, DEMO);
    const range = { lun: 0, lba: 0, blocks: 1, blockBytes: 512 };
    for (let round = 0; round < 50; round += 1) await read(session, range);
    await session.logout();
    for (let round = 0; round < 100; round += 1) await (await logIn(port, DEMO)).logout();
    const exited = new Promise((resolve) => command.child.once("exit", resolve));
    command.child.kill("SIGTERM");
    expect(await exited).toBe(0);
    command.child.stdout?.resume();
  });

  it("ends at once at the second signal, even when a disk is stuck", async () => {
    const file = config({
      volumes: { slow: { driver: "memory", size: "1MiB", delayMs: 600_000 } },
      // Its number does not have to be kept: no file is being written, for which the status would be another.
      targets: [{ ...diskTarget("slow"), tid: 1 }],
    });
    const { command } = await serving("--config", file);
    command.child.kill("SIGTERM");
    await command.says("shutting down");
    command.child.kill("SIGTERM");
    expect((await command.outcome()).status).toBe(1);
    expect(command.output).toContain("second SIGTERM");
  });

  it("flushes the other disks when a command on one of them never ends", async () => {
    const path = inFolder("disk.img");
    const file = config({
      volumes: {
        stuck: { driver: "memory", size: "1MiB", delayMs: 600_000 },
        disk: { driver: "raw", path, size: "1MiB", create: true },
      },
      targets: [
        {
          name: DISK,
          luns: [
            { lun: 0, volume: "stuck" },
            { lun: 1, volume: "disk" },
          ],
        },
      ],
    });
    const { command, port } = await serving("--config", file, "--log-level", "debug");
    const session = await logIn(port, DISK);
    const block = { lba: 0, blocks: 1, blockBytes: 512 };
    await write(session, { lun: 1, ...block }, Buffer.alloc(512, 7));
    read(session, { lun: 0, ...block }).catch(() => undefined);
    command.child.kill("SIGTERM");
    await command.says("volume flushed and closed");
    expect(readFileSync(path)[0]).toBe(7);
    command.child.kill("SIGTERM");
    expect((await command.outcome()).status).toBe(1);
  });

  it("flushes and ends in order although SIGHUP comes while it stops", async () => {
    const file = config({
      volumes: { slow: { driver: "memory", size: "1MiB", delayMs: 500 } },
      targets: [diskTarget("slow")],
    });
    const { command } = await serving("--config", file);
    command.child.kill("SIGTERM");
    await command.says("shutting down");
    command.child.kill("SIGHUP");
    expect((await command.outcome()).status).toBe(0);
  });

  it("grows a disk at SIGHUP", async () => {
    const path = inFolder("disk.img");
    const file = config({
      volumes: { disk: { driver: "raw", path, size: "4MiB", create: true } },
      targets: [diskTarget("disk")],
    });
    const { command, port } = await serving("--config", file);
    truncateSync(path, 8 * MIB);
    command.child.kill("SIGHUP");
    await command.says("sizes of volumes were read again");
    const session = await logIn(port, DISK);
    expect((await readCapacity16(session, 0)).blocks).toBe((8 * MIB) / 512);
    await session.logout();
    await command.stop();
  });

  it("protects a LUN at SIGHUP, and tells who is logged in", async () => {
    const content = (readOnly: boolean): object => ({
      volumes: { mem: { driver: "memory", size: "1MiB" } },
      targets: [{ name: DISK, luns: [{ lun: 0, volume: "mem", readOnly }] }],
    });
    const { command, port } = await serving("--config", config(content(false)));
    const session = await logIn(port, DISK);
    const range = { lun: 0, lba: 0, blocks: 1, blockBytes: 512 };
    await write(session, range, Buffer.alloc(512));
    config(content(true));
    command.child.kill("SIGHUP");
    await command.says("sizes of volumes were read again");
    expect(command.output).not.toContain("restart");
    const { sense } = await session.execute({ lun: 0, cdb: new Uint8Array(6) });
    expect(sense).toMatchObject({
      key: 6,
      additionalSenseCode: 0x2a,
      additionalSenseCodeQualifier: 1,
    });
    const refused = write(session, range, Buffer.alloc(512));
    await expect(refused).rejects.toMatchObject({ context: { sense: { key: 7 } } });
    await session.logout();
    await command.stop();
  });

  it("takes LUNs, targets and volumes away at SIGHUP, while who uses the others goes on", async () => {
    const other = `${DISK}2`;
    const volumes = {
      mem: { driver: "memory", size: "1MiB" },
      disk: { driver: "raw", path: inFolder("disk.img"), size: "1MiB", create: true },
    };
    const both = [
      { lun: 0, volume: "mem" },
      { lun: 1, volume: "disk" },
    ];
    const luns = [{ lun: 3, volume: "disk" }];
    const file = config({
      volumes,
      targets: [
        { name: DISK, luns: both },
        { name: other, luns },
      ],
    });
    const { command, port } = await serving("--config", file);
    const session = await logIn(port, DISK);
    const leaving = await logIn(port, other);
    for (const lun of [0, 1]) await testUnitReady(session, lun);
    config({ volumes: { mem: volumes.mem }, targets: [diskTarget("mem")] });
    command.child.kill("SIGHUP");
    await command.says("sizes of volumes were read again");
    expect(command.output).not.toContain("restart");
    const ready = new Uint8Array(6);
    const changed = await session.execute({ lun: 0, cdb: ready });
    expect(changed.sense).toMatchObject({ key: 6, additionalSenseCode: 0x3f });
    expect((await session.execute({ lun: 0, cdb: ready })).status).toBe(0);
    const gone = await session.execute({ lun: 1, cdb: ready });
    expect(gone.sense).toMatchObject({ key: 5, additionalSenseCode: 0x25 });
    await expect(leaving.execute({ lun: 3, cdb: ready })).rejects.toThrow();
    await expect(logIn(port, other)).rejects.toThrow();
    // Nobody has the file open any more: another daemon may.
    const second = serveIn(
      "second",
      "--config",
      config({ volumes: { disk: volumes.disk }, targets: [diskTarget("disk")] }),
      "--portal",
      "127.0.0.1:0",
    );
    await second.says("target is ready");
    await second.stop();
    await session.logout();
    await command.stop();
  });

  it("leaves out an optional volume, and its LUN", async () => {
    const file = config({
      volumes: {
        here: { driver: "memory", size: "1MiB" },
        gone: { driver: "raw", path: inFolder("none.img"), optional: true },
      },
      targets: [
        {
          name: DISK,
          luns: [
            { lun: 0, volume: "here" },
            { lun: 1, volume: "gone" },
          ],
        },
      ],
    });
    const { command } = await serving("--config", file);
    await command.stop();
    expect(messagesOf(command)).toContain("optional volume left out");
    expect(messagesOf(command)).toContain("LUN left out: its volume is not open");
  });

  it("lives on when it has no descriptor left for one more connection", async () => {
    const { command, port } = await serving();
    const session = await logIn(port, DEMO);
    await run("prlimit", "--pid", String(command.child.pid), "--nofile=80:80");
    const sockets = Array.from({ length: 200 }, () => {
      const socket = connectSocket({ host: "127.0.0.1", port });
      socket.on("error", () => undefined);
      return socket;
    });
    await new Promise<void>((resolve) => {
      let closed = 0;
      // Of those there is no room for, each is closed at once; the first ones stay.
      for (const socket of sockets) {
        socket.on("close", () => {
          closed += 1;
          if (closed === 100) resolve();
        });
        socket.resume();
      }
    });
    await testUnitReady(session, 0);
    for (const socket of sockets) socket.destroy();
    await testUnitReady(session, 0);
    let other: InitiatorSession | null = null;
    while (other === null) other = await logIn(port, DEMO).catch(() => null);
    await other.logout();
    await session.logout();
    expect((await command.stop()).status).toBe(0);
  });

  it("logs no secret, at any level, of a login that works and of one that does not", async () => {
    const secret = "hunter2hunter2";
    const file = config({
      volumes: { mem: { driver: "memory", size: "1MiB" } },
      targets: [
        { ...diskTarget("mem"), auth: { accounts: [{ user: "alice", password: secret }] } },
      ],
    });
    const { command, port } = await serving("--config", file, "--log-level", "trace");
    const options = { address: "127.0.0.1", port, targetName: DISK, initiatorName: INITIATOR };
    const session = await connect({ ...options, chap: { user: "alice", secret } });
    await session.logout();
    const wrong = connect({ ...options, chap: { user: "alice", secret: "wrongwrong12" } });
    await expect(wrong).rejects.toThrow();
    await command.stop();
    expect(command.output).toContain("alice");
    expect(command.output).not.toContain(secret);
    expect(command.output).not.toContain("wrongwrong12");
  });
});

describe("thinlun serve says what is in its way, and", () => {
  it("ends with 1 when the port is taken", async () => {
    const { port } = await serving();
    const second = await serveIn("other", "--portal", `127.0.0.1:${port}`).outcome();
    expect(second.status).toBe(1);
    expect(second.stderr).toContain(`cannot listen on 127.0.0.1:${port}: another program has it`);
    expect(second.stderr).toContain("--portal");
  });

  it("ends with 1 when another daemon has the state folder", async () => {
    await serving();
    const second = await failing("--portal", "127.0.0.1:0");
    expect(second.status).toBe(1);
    expect(second.stderr).toContain("another thinlun is running");
  });

  it("ends with 1 when another daemon has the disk", async () => {
    const path = inFolder("disk.img");
    const file = config({
      volumes: { disk: { driver: "raw", path, size: "4MiB", create: true } },
      targets: [diskTarget("disk")],
    });
    await serving("--config", file);
    const second = await serveIn("other", "--config", file).outcome();
    expect(second.status).toBe(1);
    expect(second.stderr).toContain(`volume disk: ${path} is in use`);
  });

  it("ends with 1 at a configuration with errors, all of which it shows", async () => {
    writeFileSync(inFolder("bad.yaml"), "volumes: {}\ntargts: []\ntargets: []\npoll: no\n");
    const { status, stderr } = await failing("--config", inFolder("bad.yaml"));
    expect(status).toBe(1);
    expect(stderr).toContain('bad.yaml:2:1: unknown key "targts"; did you mean "targets"?');
    expect(stderr).toContain("bad.yaml:4:7: poll: must be one of auto, off");
    expect(stderr).not.toContain("    at ");
  });

  it("ends with 1 when the state cannot be understood, and leaves it alone", async () => {
    const { command } = await serving();
    await command.stop();
    const path = inFolder("state/state.json");
    writeFileSync(path, "{");
    const { status, stderr } = await failing("--portal", "127.0.0.1:0");
    expect(status).toBe(1);
    expect(stderr).toContain(`${path} cannot be used`);
    expect(readFileSync(path, "utf8")).toBe("{");
  });

  it.each([
    [["--portal", "nowhere:x"], 1, "is not an address"],
    [["--portl", "127.0.0.1"], 2, "portl"],
    [["--log-level", "loud"], 2, "loud"],
    [["--config"], 2, "config"],
    [["--state-dir", "/nowhere"], 2, "--state-dir is given more than once"],
    [["--tgt-port", "32768"], 2, "--tgt-port must be a number from 0 to 32767"],
    [["--ready-fd", "1"], 2, "--ready-fd must be a descriptor from 3 on"],
  ])("%j ends with %d", async (args, status, words) => {
    const outcome = await failing(...args);
    expect(outcome.status).toBe(status);
    expect(outcome.stderr).toContain(words);
    expect(outcome.stdout).toBe("");
  });
});
