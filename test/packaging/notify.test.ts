import { type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { hasProgram } from "../support/debian-packages.ts";
import { spawnMortal } from "../support/mortal-child.ts";

const CLI =
  process.env["THINLUN_CLI"] ??
  join(import.meta.dirname, "..", "..", "dist", "src", "cli", "thinlun.cjs");

/** Prints each message that comes to a socket for datagrams, as systemd gets them, on a line. */
const RECEIVER = `
use Socket; $| = 1;
socket(my $s, AF_UNIX, SOCK_DGRAM, 0) or die; bind($s, pack_sockaddr_un($ARGV[0])) or die;
print "listening\n";
while (defined recv($s, my $m, 4096, 0)) { $m =~ s/\n/|/g; print "$m\n"; }
`;

/** A program and what it has said. */
class Said {
  text = "";
  /** Set where there will be no more. */
  end: string | undefined;

  constructor(child: ChildProcess) {
    child.stdout?.on("data", (chunk: Buffer) => (this.text += chunk.toString()));
    child.stderr?.on("data", (chunk: Buffer) => (this.text += chunk.toString()));
  }

  async includes(pattern: RegExp): Promise<void> {
    while (!pattern.test(this.text)) {
      if (this.end !== undefined) throw new Error(`${this.text}\n${this.end}`);
      await sleep(10);
    }
  }
}

describe.skipIf(!hasProgram("systemd-notify") || !hasProgram("perl"))("the built daemon", () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "thinlun-notify-"));
  });

  afterEach(() => rm(folder, { recursive: true }));

  it("tells systemd of its readiness, its turning loop, a reload and its end", async () => {
    const path = join(folder, "notify.sock");
    const receiver = spawnMortal("perl", ["-e", RECEIVER, path]);
    const told = new Said(receiver);
    await told.includes(/listening/);
    const config = join(folder, "c.yaml");
    const state = join(folder, "state");
    await writeFile(
      config,
      `stateDir: ${state}\nportals: [{ listen: "127.0.0.1:0" }]\nvolumes: {}\ntargets: []\n`,
    );
    const daemon = spawnMortal(process.execPath, [CLI, "serve", "--config", config], {
      ...process.env,
      NOTIFY_SOCKET: path,
      WATCHDOG_USEC: "150000",
    });
    const log = new Said(daemon);
    const closed = once(daemon, "close").then(() => (told.end = log.text));
    await told.includes(/^READY=1\|STATUS=0 targets on 127\.0\.0\.1:\d+$/m);
    await told.includes(/^WATCHDOG=1$/m);
    daemon.kill("SIGHUP");
    await told.includes(/^RELOADING=1\|MONOTONIC_USEC=\d+\|STATUS=.*\n([^]*\n)?READY=1/m);
    daemon.kill("SIGTERM");
    await told.includes(/^STOPPING=1\|STATUS=/m);
    await closed;
    expect(daemon.exitCode, log.text).toBe(0);
    receiver.kill("SIGKILL");
    await once(receiver, "close");
  });
});
