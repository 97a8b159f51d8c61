import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  type NoticeOutcome,
  notifyBySystemdNotify,
  ServiceManager,
} from "../../src/control/service-manager.ts";
import { hasProgram } from "../support/debian-packages.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { spawnMortal } from "../support/mortal-child.ts";
import { type LogLine, recordingLog } from "../support/recording-log.ts";

const PID = 4711;

/** A service manager that keeps what it is told. */
class Listener {
  readonly told: string[] = [];
  readonly lines: LogLine[] = [];
  readonly clock: ManualClock = new ManualClock();
  outcome: NoticeOutcome = "told";
  /** Resolved by hand where a test wants a message to take its time. */
  gate: Promise<void> = Promise.resolve();

  manager(environment: Readonly<Record<string, string>>): ServiceManager {
    return new ServiceManager({
      environment,
      pid: PID,
      clock: this.clock,
      log: recordingLog(this.lines),
      monotonicUs: () => 12_345n,
      notify: async (socketPath, fields) => {
        await this.gate;
        this.told.push([socketPath, ...fields].join(" "));
        return this.outcome;
      },
    });
  }

  /** Lets what was said be told; pings happen in between. */
  async pass(ms: number): Promise<void> {
    this.clock.advance(ms);
    for (let turn = 0; turn < 20; turn++) await Promise.resolve();
  }
}

describe("what systemd is told", () => {
  it("follows what there is, once each and only while that is served", async () => {
    const listener = new Listener();
    const manager = listener.manager({ NOTIFY_SOCKET: "/run/n" });
    manager.status("before it is ready");
    manager.ready("1 target");
    manager.status("1 target");
    for (const count of [2, 3, 4]) manager.status(`${count} targets`);
    await listener.pass(0);
    manager.status("5 targets");
    await listener.pass(0);
    manager.status("while it stops");
    manager.stopping();
    manager.status("afterwards");
    await manager.close();
    expect(listener.told).toEqual([
      "/run/n READY=1 STATUS=1 target",
      "/run/n STATUS=4 targets",
      "/run/n STATUS=5 targets",
      "/run/n STOPPING=1 STATUS=logging initiators out, flushing volumes",
    ]);
  });

  it("is that the daemon is ready, reloads and stops, in this order", async () => {
    const listener = new Listener();
    const manager = listener.manager({ NOTIFY_SOCKET: "/run/n" });
    manager.ready("1 target");
    manager.reloading();
    manager.ready("2\ntargets");
    manager.stopping();
    manager.ready("a reload that ended late");
    await manager.close();
    expect(listener.told).toEqual([
      "/run/n READY=1 STATUS=1 target",
      "/run/n RELOADING=1 MONOTONIC_USEC=12345 STATUS=reading the configuration again",
      "/run/n READY=1 STATUS=2 targets",
      "/run/n STOPPING=1 STATUS=logging initiators out, flushing volumes",
    ]);
  });

  it.each([{}, { NOTIFY_SOCKET: "" }])("is nothing with %j", async (environment) => {
    const listener = new Listener();
    const manager = listener.manager({ ...environment, WATCHDOG_USEC: "3000" });
    manager.ready("");
    await listener.pass(100);
    await manager.close();
    expect(listener.told).toEqual([]);
  });

  it("is logged once when it fails, and tried again", async () => {
    const listener = new Listener();
    listener.outcome = "failed";
    const manager = listener.manager({ NOTIFY_SOCKET: "/run/n" });
    manager.ready("");
    manager.stopping();
    await manager.close();
    expect(listener.told).toHaveLength(2);
    expect(listener.lines.map(({ level }) => level)).toEqual(["warn"]);
  });

  it("is not tried again where nothing can tell it", async () => {
    const listener = new Listener();
    listener.outcome = "missing";
    const manager = listener.manager({ NOTIFY_SOCKET: "/run/n" });
    manager.ready("");
    manager.stopping();
    await manager.close();
    expect(listener.told).toHaveLength(1);
    expect(listener.lines[0]?.message).toMatch("systemd-notify");
  });
});

describe("the watchdog", () => {
  const environment = { NOTIFY_SOCKET: "/run/n", WATCHDOG_USEC: "30000000" };
  const pings = ({ told }: Listener): number =>
    told.filter((text) => text.endsWith("WATCHDOG=1")).length;

  it("gets three pings in its time, from the first readiness on", async () => {
    const listener = new Listener();
    const manager = listener.manager({ ...environment, WATCHDOG_PID: String(PID) });
    await listener.pass(60_000);
    expect(pings(listener)).toBe(0);
    manager.ready("");
    for (let count = 1; count <= 6; count++) {
      await listener.pass(9_999);
      expect(pings(listener)).toBe(count - 1);
      await listener.pass(1);
      expect(pings(listener)).toBe(count);
    }
    await manager.close();
    await listener.pass(60_000);
    expect(pings(listener)).toBe(6);
  });

  it("gets pings while the daemon stops", async () => {
    const listener = new Listener();
    const manager = listener.manager(environment);
    manager.ready("");
    manager.stopping();
    await listener.pass(10_000);
    expect(pings(listener)).toBe(1);
    await manager.close();
  });

  it("does not collect pings while one is on its way", async () => {
    const listener = new Listener();
    let open: () => void = () => undefined;
    listener.gate = new Promise((resolve) => (open = resolve));
    const manager = listener.manager(environment);
    manager.ready("");
    for (let time = 0; time < 5; time++) await listener.pass(10_000);
    expect(pings(listener)).toBe(0);
    open();
    await listener.pass(0);
    await listener.pass(0);
    expect(pings(listener)).toBe(1);
    await listener.pass(10_000);
    expect(pings(listener)).toBe(2);
    await manager.close();
  });

  it.each([
    { WATCHDOG_USEC: "30000000", WATCHDOG_PID: "1" },
    { WATCHDOG_USEC: "0" },
    { WATCHDOG_USEC: "soon" },
    {},
  ])("gets none with %j", async (variables) => {
    const listener = new Listener();
    const manager = listener.manager({ NOTIFY_SOCKET: "/run/n", ...variables });
    manager.ready("");
    await listener.pass(120_000);
    expect(pings(listener)).toBe(0);
    await manager.close();
  });
});

/** Prints each message that comes to a socket for datagrams, as systemd gets them, on a line. */
const RECEIVER = `
use Socket; $| = 1;
socket(my $s, AF_UNIX, SOCK_DGRAM, 0) or die; bind($s, pack_sockaddr_un($ARGV[0])) or die;
print "listening\n";
while (defined recv($s, my $m, 4096, 0)) { $m =~ s/\n/|/g; print "$m\n"; }
`;

describe.skipIf(!hasProgram("systemd-notify") || !hasProgram("perl"))("systemd-notify", () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "thinlun-notify-"));
  });

  afterEach(() => rm(folder, { recursive: true }));

  it("sends the fields of a message in one datagram", async () => {
    const path = join(folder, "notify.sock");
    const receiver = spawnMortal("perl", ["-e", RECEIVER, path]);
    if (receiver.stdout === null) throw new Error("no output");
    const lines = createInterface({ input: receiver.stdout })[Symbol.asyncIterator]();
    expect((await lines.next()).value).toBe("listening");
    expect(await notifyBySystemdNotify(path, ["READY=1", "STATUS=2 targets"])).toBe("told");
    expect((await lines.next()).value).toBe("READY=1|STATUS=2 targets");
    receiver.kill("SIGKILL");
    await once(receiver, "close");
  });

  it("fails where nobody listens", async () => {
    expect(await notifyBySystemdNotify(join(folder, "none"), ["READY=1"])).toBe("failed");
  });
});
