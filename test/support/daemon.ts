import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { stringify } from "yaml";
import { spawnMortal } from "./mortal-child.ts";
import { run } from "./program.ts";

/** The configuration file's content apart from the portals and the folders, which the tests choose. */
export interface DaemonConfig {
  readonly pools?: Readonly<Record<string, object>>;
  readonly volumes: Readonly<Record<string, object>>;
  readonly targets: readonly object[];
  readonly discovery?: object;
}

/** The program under test. */
const CLI =
  process.env["THINLUN_CLI"] ??
  join(import.meta.dirname, "..", "..", "dist", "src", "cli", "thinlun.cjs");

const START_LIMIT_MS = 60_000;
const STOP_LIMIT_MS = 60_000;
const POLL_MS = 20;

/**
 * The built daemon as a child of the test, in a folder of its own, on a port of 127.0.0.1 that stays the same over
 * restarts.
 */
export class Daemon {
  readonly folder: string;
  readonly port: number;
  readonly #advertisedHost: string;
  #config: DaemonConfig = { volumes: {}, targets: [] };
  #child: ChildProcess | undefined;
  #log = "";

  private constructor(port: number, advertisedHost: string) {
    this.folder = mkdtempSync(join(tmpdir(), "thinlun-daemon-"));
    this.port = port;
    this.#advertisedHost = advertisedHost;
  }

  /**
   * Starts the daemon and waits until it listens.
   * @param configOf makes the configuration; `folder` is where the volumes' files may lie
   * @param advertisedHost the daemon's address as initiators see it
   */
  static async start(
    configOf: (folder: string) => DaemonConfig,
    advertisedHost = "127.0.0.1",
  ): Promise<Daemon> {
    const daemon = new Daemon(await freePort(), advertisedHost);
    daemon.#config = configOf(daemon.folder);
    await daemon.restart();
    return daemon;
  }

  /** Everything that the daemon wrote to its two outputs, over all restarts. */
  get log(): string {
    return this.#log;
  }

  /** The LUN's address as libiscsi's and QEMU's programs take it. */
  url(target: string, lun = 0, credentials = ""): string {
    return `iscsi://${credentials}127.0.0.1:${this.port}/${target}/${lun}`;
  }

  /** Starts the daemon again after it was stopped or killed. */
  async restart(): Promise<void> {
    this.#writeConfig();
    const args = ["serve", "--config", this.#configFile, "--state-dir", this.#stateFolder];
    const child = spawnMortal(process.execPath, [CLI, ...args]);
    const take = (chunk: Buffer): void => {
      this.#log += chunk.toString();
    };
    child.stdout?.on("data", take);
    child.stderr?.on("data", take);
    this.#child = child;
    const lastWord = once(child, "close");
    for (let waitedMs = 0; waitedMs < START_LIMIT_MS; waitedMs += POLL_MS) {
      if (hasEnded(child)) break;
      if (await accepts(this.port)) return;
      await sleep(POLL_MS);
    }
    // Not whatever runs by now: whoever has killed this one meanwhile may have started the next.
    if (!hasEnded(child)) child.kill("SIGKILL");
    await lastWord;
    throw new Error(`the daemon does not listen on port ${this.port}:\n${this.#log}`);
  }

  /** Runs a command of the command line for this daemon, which must succeed, and returns what it prints. */
  command(...args: readonly string[]): Promise<string> {
    return run(process.execPath, CLI, ...args, "--state-dir", this.#stateFolder);
  }

  /** Gives the running daemon another configuration. */
  reload(config: DaemonConfig): void {
    this.#config = config;
    this.#writeConfig();
    this.signal("SIGHUP");
  }

  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }

  /** Takes the daemon's life without a warning. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined || hasEnded(child)) return;
    const exit = once(child, "exit");
    child.kill("SIGKILL");
    await exit;
  }

  /** Asks the daemon to end, and returns its exit status. It is killed, and null returned, when it does not. */
  async stop(): Promise<number | null> {
    const child = this.#child;
    if (child === undefined || hasEnded(child)) return child?.exitCode ?? null;
    const exit = once(child, "exit");
    child.kill("SIGTERM");
    const timer = setTimeout(() => child.kill("SIGKILL"), STOP_LIMIT_MS);
    await exit;
    clearTimeout(timer);
    return child.exitCode;
  }

  /** Ends the daemon and removes what it and the test left in the folder. */
  async dispose(): Promise<void> {
    await this.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  get #stateFolder(): string {
    return join(this.folder, "state");
  }

  get #configFile(): string {
    return join(this.folder, "thinlun.yaml");
  }

  #writeConfig(): void {
    const portals = [
      {
        listen: `127.0.0.1:${this.port}`,
        advertise: `${this.#advertisedHost}:${this.port}`,
        group: 1,
      },
    ];
    writeFileSync(this.#configFile, stringify({ portals, ...this.#config }), { mode: 0o600 });
  }
}

/** By itself or by a signal: then it has no exit status. */
function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}

/** A port of 127.0.0.1 that nobody uses now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
