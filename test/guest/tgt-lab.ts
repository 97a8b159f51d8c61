import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import { freePort } from "../support/daemon.ts";
import { spawnMortal } from "../support/mortal-child.ts";
import { attempt, type Ending } from "../support/program.ts";
import { Guest } from "./machine/guest.ts";
import { HOST_SEEN_BY_GUEST } from "./machine/open-iscsi.ts";

const COMMANDS = join(import.meta.dirname, "..", "..", "dist", "src", "cli");

const START_LIMIT_MS = 60_000;
const POLL_MS = 100;

/** The drop-in tgtd on this host, its commands beside it, and a guest that reaches it. */
export class TgtLab {
  readonly guest: Guest;
  readonly folder: string;
  readonly port: number;
  readonly #tgtd: ChildProcess;
  readonly #environment: NodeJS.ProcessEnv;

  private constructor(
    guest: Guest,
    tgtd: ChildProcess,
    place: { readonly folder: string; readonly port: number },
    environment: NodeJS.ProcessEnv,
  ) {
    this.guest = guest;
    this.folder = place.folder;
    this.port = place.port;
    this.#tgtd = tgtd;
    this.#environment = environment;
  }

  static async start(accelerator: "kvm" | "tcg"): Promise<TgtLab> {
    const folder = mkdtempSync(join(tmpdir(), "thinlun-tgt-"));
    const port = await freePort();
    const environment = {
      ...process.env,
      TGT_IPC_SOCKET: join(folder, "socket"),
    };
    const portal = `portal=127.0.0.1:${port}`;
    const state = ["--state-dir", join(folder, "state")];
    const daemon = [join(COMMANDS, "tgtd.cjs"), "-f", ...state, "--iscsi", portal];
    const tgtd = spawnMortal(process.execPath, daemon, environment);
    try {
      await answers(environment);
      const guest = await Guest.boot(accelerator);
      // What discovery tells is an address of this host: in the guest, the same port leads there.
      await guest.run(`
        node -e '
          const { connect, createServer } = require("net");
          createServer((near) => {
            const far = connect(${port}, "${HOST_SEEN_BY_GUEST}");
            near.pipe(far).pipe(near);
            for (const socket of [near, far]) socket.on("error", () => { near.destroy(); far.destroy(); });
          }).listen(${port}, "127.0.0.1");
        ' > /tmp/forwarder.log 2>&1 &
        for attempt in {1..240}; do ss -ltn | grep -q :${port} && exit 0; sleep 0.25; done
        cat /tmp/forwarder.log; exit 1`);
      return new TgtLab(guest, tgtd, { folder, port }, environment);
    } catch (error) {
      tgtd.kill("SIGKILL");
      rmSync(folder, { recursive: true, force: true });
      throw error;
    }
  }

  /** Runs one of tgt's commands as a course has it, words and all. */
  attempt(line: string): Promise<Ending> {
    const [command = "", ...words] = line.split(/\s+/);
    return runCommand(this.#environment, command, words);
  }

  /** The same, which must succeed and complain of nothing; what it prints. */
  async run(line: string): Promise<string> {
    const { status, stdout, stderr } = await this.attempt(line);
    expect({ line, status, stderr }).toEqual({ line, status: 0, stderr: "" });
    return stdout;
  }

  async dispose(): Promise<void> {
    await this.guest.powerOff();
    const ended = once(this.#tgtd, "close");
    if (this.#tgtd.exitCode === null && this.#tgtd.signalCode === null) {
      this.#tgtd.kill("SIGTERM");
      await ended;
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function runCommand(
  environment: NodeJS.ProcessEnv,
  command: string,
  words: readonly string[],
): Promise<Ending> {
  const socket = `TGT_IPC_SOCKET=${environment["TGT_IPC_SOCKET"]}`;
  return attempt("env", socket, process.execPath, join(COMMANDS, `${command}.cjs`), ...words);
}

async function answers(environment: NodeJS.ProcessEnv): Promise<void> {
  for (let waitedMs = 0; waitedMs < START_LIMIT_MS; waitedMs += POLL_MS) {
    const { status } = await runCommand(environment, "tgtadm", ["--op", "show", "--mode", "sys"]);
    if (status === 0) return;
    await sleep(POLL_MS);
  }
  throw new Error("tgtd does not answer");
}
