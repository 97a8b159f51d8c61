import { execFile, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import {
  closeSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { stringify } from "yaml";
import { spawnMortal } from "../../test/support/mortal-child.ts";

const execute = promisify(execFile);

/** A target under measurement: where it listens, what it exports, and how it ends. */
export interface MeasuredTarget {
  readonly name: string;
  readonly port: number;
  readonly targetName: string;
  readonly lun: number;
  /** CPU time that its process has used so far, in seconds. */
  cpuSeconds(): number;
  stop(): Promise<void>;
}

export const TARGET_NAME = "iqn.2026-11.net.thinlun:bench";

/** A backing file without holes: both targets find the same pages. */
export function makeBackingFile(path: string, sizeBytes: number): void {
  const file = openSync(path, "w");
  try {
    ftruncateSync(file, 0);
    const piece = Buffer.alloc(1024 * 1024, 0xa5);
    for (let written = 0; written < sizeBytes; written += piece.length) {
      writeFileSync(file, piece);
    }
  } finally {
    closeSync(file);
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = address !== null && typeof address === "object" ? address.port : 0;
  server.close();
  await once(server, "close");
  return port;
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port });
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

async function untilListening(child: ChildProcess, port: number, name: string): Promise<void> {
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on("data", (chunk: Buffer) => {
      output = `${output}${chunk.toString()}`.slice(-4000);
    });
  }
  for (let attempt = 0; attempt < 500; attempt += 1) {
    if (child.exitCode !== null) break;
    if (await accepts(port)) return;
    await sleep(20);
  }
  throw new Error(`${name} does not listen:\n${output}`);
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, "exit");
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), 5000);
  await exit;
  clearTimeout(timer);
}

const NANOSECONDS_PER_SECOND = 1e9;

/** Of all its threads: those of a runtime stay for its life. The times of /proc/PID/stat are no finer than 10 ms. */
function cpuReader(child: ChildProcess): () => number {
  const tasks = `/proc/${child.pid}/task`;
  return () => {
    let nanoseconds = 0;
    for (const task of readdirSync(tasks)) {
      nanoseconds += Number(readFileSync(join(tasks, task, "schedstat"), "utf8").split(" ")[0]);
    }
    return nanoseconds / NANOSECONDS_PER_SECOND;
  };
}

/** What a daemon under measurement has; each volume is a LUN of one target, in this order from 1 on. */
export interface DaemonConfig {
  readonly pools?: Readonly<Record<string, unknown>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}

/** The built thinlun. The state folder is `folder`/state, and stays when it is started there again. */
export async function startDaemon(folder: string, shape: DaemonConfig): Promise<MeasuredTarget> {
  mkdirSync(folder, { recursive: true });
  const port = await freePort();
  const config = join(folder, "thinlun.yaml");
  const program = join(import.meta.dirname, "..", "..", "dist", "src", "cli", "thinlun.cjs");
  const luns = Object.keys(shape.volumes).map((volume, index) => ({ lun: index + 1, volume }));
  writeFileSync(
    config,
    stringify({
      portals: [{ listen: `127.0.0.1:${port}` }],
      ...shape,
      targets: [{ name: TARGET_NAME, luns }],
      log: { level: "warn" },
    }),
  );
  const state = join(folder, "state");
  const child = spawnMortal(process.execPath, [
    program,
    "serve",
    "-c",
    config,
    "--state-dir",
    state,
  ]);
  await untilListening(child, port, "thinlun");
  const cpuSeconds = cpuReader(child);
  return {
    name: "thinlun",
    port,
    targetName: TARGET_NAME,
    lun: 1,
    cpuSeconds,
    stop: () => end(child),
  };
}

/** The built thinlun with a raw volume on the file. */
export function startThinlun(folder: string, backingFile: string): Promise<MeasuredTarget> {
  return startDaemon(folder, { volumes: { disk: { driver: "raw", path: backingFile } } });
}

/** A control port that no other tgtd uses; tgtd takes any number. */
const TGT_CONTROL_PORT = 8000 + (process.pid % 1000);

/** Debian's tgtd, as it comes, on a port and control socket of its own. */
export async function startTgtd(folder: string, backingFile: string): Promise<MeasuredTarget> {
  const port = await freePort();
  const sockets = join(folder, "tgt");
  mkdirSync(sockets);
  const env = { ...process.env, TGT_IPC_SOCKET: join(sockets, "socket") };
  const control = String(TGT_CONTROL_PORT);
  const args = ["-f", "-C", control, "--iscsi", `portal=127.0.0.1:${port}`];
  const child = spawnMortal("tgtd", args, env);
  await untilListening(child, port, "tgtd");
  const admin = (...rest: string[]): Promise<unknown> =>
    execute("tgtadm", ["-C", control, "--lld", "iscsi", ...rest], { env });
  await admin("--mode", "target", "--op", "new", "--tid", "1", "-T", TARGET_NAME);
  const unit = ["--mode", "logicalunit", "--op", "new", "--tid", "1", "--lun", "1"];
  await admin(...unit, "-b", backingFile);
  await admin("--mode", "target", "--op", "bind", "--tid", "1", "-I", "ALL");
  const cpuSeconds = cpuReader(child);
  return {
    name: "tgtd",
    port,
    targetName: TARGET_NAME,
    lun: 1,
    cpuSeconds,
    stop: () => end(child),
  };
}
