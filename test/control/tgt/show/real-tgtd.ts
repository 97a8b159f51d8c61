import type { ChildProcess } from "node:child_process";
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { hasProgram } from "../../../support/debian-packages.ts";
import { spawnMortal } from "../../../support/mortal-child.ts";
import type { Ending } from "../../../support/program.ts";
import { attempt } from "../../../support/program.ts";

const DAEMON = "tgtd";
const START_LIMIT_MS = 30_000;
const POLL_MS = 20;

/** The version that the golden texts are of. */
const TGT_VERSION = "1.0.85";

/** Why a real tgtd cannot be compared with here, or null where it can. */
export function tgtdMissing(): string | null {
  if (process.getuid?.() !== 0) return "tgtd runs for the superuser only";
  for (const program of [DAEMON, "tgtadm", "env"]) {
    if (!hasProgram(program)) return `${program} is not installed`;
  }
  const addresses = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
  if (!addresses.some(({ address }) => address === "::1")) return "there is no ::1 to listen at";
  const version = spawnSync(DAEMON, ["-V"], { env: environment("") });
  const found = version.stdout.toString().trim();
  return found === TGT_VERSION ? null : `tgtd is of version ${found}, not ${TGT_VERSION}`;
}

function environment(socket: string): NodeJS.ProcessEnv {
  const path = `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin`;
  return { ...process.env, PATH: path, TGT_IPC_SOCKET: socket };
}

export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return address !== null && typeof address === "object" ? address.port : 0;
}

/** tgt's own daemon on a port of 127.0.0.1, with a folder of its own for its socket and for backing files. */
export class RealTgtd {
  readonly port: number;
  /** Of its socket and its backing files. */
  readonly folder: string;
  readonly #child: ChildProcess;
  #log = "";

  private constructor(port: number) {
    this.port = port;
    this.folder = mkdtempSync(join(tmpdir(), "thinlun-tgtd-"));
    const daemon = [DAEMON, "-f", "-C", "1", "--iscsi", `portal=127.0.0.1:${port}`];
    // It takes relative paths of backing files from where it was started.
    const args = ["-C", this.folder, ...daemon];
    this.#child = spawnMortal("env", args, environment(this.#socket));
    const take = (chunk: Buffer): void => {
      this.#log += chunk.toString();
    };
    this.#child.stdout?.on("data", take);
    this.#child.stderr?.on("data", take);
  }

  static async start(): Promise<RealTgtd> {
    const tgtd = new RealTgtd(await freePort());
    for (let waitedMs = 0; waitedMs < START_LIMIT_MS; waitedMs += POLL_MS) {
      const { status } = await tgtd.tgtadm("--op", "show", "--mode", "sys");
      if (status === 0) return tgtd;
      if (tgtd.#child.exitCode !== null) break;
      await sleep(POLL_MS);
    }
    await tgtd.dispose();
    throw new Error(`tgtd does not answer:\n${tgtd.#log}`);
  }

  /** What it wrote so far. */
  get log(): string {
    return this.#log;
  }

  /** Makes a backing file without data in it. */
  file(name: string, sizeBytes: number): void {
    const path = join(this.folder, name);
    writeFileSync(path, "");
    truncateSync(path, sizeBytes);
  }

  /** Runs the real tgtadm for this daemon. */
  tgtadm(...args: readonly string[]): Promise<Ending> {
    const command = ["tgtadm", "-C", "1", ...args];
    const { PATH = "" } = environment("");
    return attempt("env", `PATH=${PATH}`, `TGT_IPC_SOCKET=${this.#socket}`, ...command);
  }

  /** It ignores SIGTERM, and its orderly end has a double free in it. */
  async dispose(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const exit = once(this.#child, "exit");
      this.#child.kill("SIGKILL");
      await exit;
    }
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** For TGT_IPC_SOCKET of other programs; the control port is 1. */
  get socketBase(): string {
    return this.#socket;
  }

  get #socket(): string {
    return join(this.folder, "socket");
  }
}
