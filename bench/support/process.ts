import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

export async function freePort(): Promise<number> {
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

export async function untilListening(
  child: ChildProcess,
  port: number,
  name: string,
): Promise<void> {
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

export async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, "exit");
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), 5000);
  await exit;
  clearTimeout(timer);
}

const NANOSECONDS_PER_SECOND = 1e9;

/** Of all its threads: those of a runtime stay for its life. The times of /proc/PID/stat are no finer than 10 ms. */
export function cpuReader(child: ChildProcess): () => number {
  const tasks = `/proc/${child.pid}/task`;
  return () => {
    let nanoseconds = 0;
    for (const task of readdirSync(tasks)) {
      nanoseconds += Number(readFileSync(join(tasks, task, "schedstat"), "utf8").split(" ")[0]);
    }
    return nanoseconds / NANOSECONDS_PER_SECOND;
  };
}

/** `utime` and `stime` of /proc/PID/stat, counted behind the name, which may have spaces in it. */
const USER_TIME = 11;
const SYSTEM_TIME = 12;
const TICKS_PER_SECOND = 100;

/** Of the whole process, with threads that have ended: those of some targets live as long as a connection. In steps of 10 ms. */
export function processCpuReader(child: ChildProcess): () => number {
  return () => {
    const fields = statFields(child.pid);
    return (Number(fields[USER_TIME]) + Number(fields[SYSTEM_TIME])) / TICKS_PER_SECOND;
  };
}

/** `cutime` and `cstime`, of those that have ended and were waited for. */
const CHILDREN_USER_TIME = 13;
const CHILDREN_SYSTEM_TIME = 14;

/** CPU time of the children of this process that have ended, in seconds, in steps of 10 ms. */
export function endedChildrenCpuSeconds(): number {
  const fields = statFields("self");
  const ticks = Number(fields[CHILDREN_USER_TIME]) + Number(fields[CHILDREN_SYSTEM_TIME]);
  return ticks / TICKS_PER_SECOND;
}

function statFields(pid: number | "self" | undefined): string[] {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
}

/** Resident memory of the process, in bytes. */
export function residentReader(child: ChildProcess): () => number {
  return () => {
    const status = readFileSync(`/proc/${child.pid}/status`, "utf8");
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? Number.NaN) * 1024;
  };
}
