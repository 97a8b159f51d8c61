import { randomBytes } from "node:crypto";
import { link, readFile, rm, unlink, writeFile } from "node:fs/promises";

/** Who made a lock file: a process is the same one only with the same start time in the same boot. */
export interface LockOwner {
  readonly pid: number;
  /** Field 22 of /proc/PID/stat, in clock ticks since boot. */
  readonly startTicks: string;
  readonly bootId: string;
}

async function text(path: string): Promise<string | null> {
  try {
    return await readFile(path, "utf8");
  } catch {
    return null;
  }
}

/** The start time of a process, or null when there is none. The name in field 2 may hold blanks and parentheses. */
export async function processStartTicks(pid: number): Promise<string | null> {
  const stat = await text(`/proc/${pid}/stat`);
  if (stat === null) return null;
  const afterName = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return afterName[19] ?? null;
}

async function bootId(): Promise<string> {
  return (await text("/proc/sys/kernel/random/boot_id"))?.trim() ?? "";
}

function parse(content: string): LockOwner | null {
  const match = /^(\d{1,10}) (\d{1,20}) ([0-9a-f-]{0,64})\n$/.exec(content);
  if (match === null) return null;
  return { pid: Number(match[1]), startTicks: match[2] ?? "", bootId: match[3] ?? "" };
}

async function isAlive(owner: LockOwner): Promise<boolean> {
  if (owner.bootId !== (await bootId())) return false;
  return (await processStartTicks(owner.pid)) === owner.startTicks;
}

/** Links `ours` to `path` unless something is there. The content is whole from the first moment on. */
async function claim(ours: string, path: string): Promise<boolean> {
  try {
    await link(ours, path);
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return false;
    throw error;
  }
}

/**
 * Removes a stale lock file. Of several processes that found it stale only one may: otherwise the second would remove
 * what the first has put in its place. So this takes a lock file of its own, for the moment. Resolves with the owner of
 * that, when it is another, as the one who is about to have the lock.
 */
async function removeStale(path: string, judged: string, ours: string): Promise<LockOwner | null> {
  const guard = `${path}.takeover`;
  if (await claim(ours, guard)) {
    if ((await text(path)) === judged) await unlink(path);
    await unlink(guard);
    return null;
  }
  const content = await text(guard);
  const owner = content === null ? null : parse(content);
  if (owner === null || (await isAlive(owner))) return owner;
  // Its maker died between two system calls, some time ago.
  await rm(guard, { force: true });
  return null;
}

/** Attempts before giving up: each one lost means that somebody else took or removed the file in between. */
const ATTEMPTS_MAX = 4;

/**
 * Takes the lock file at `path`, replacing one whose maker lives no more. Resolves with null when it is ours, else with
 * its owner. A file that does not parse is somebody's: it is never removed.
 */
export async function takeLockFile(path: string): Promise<LockOwner | null> {
  const ours = `${path}.${process.pid}-${randomBytes(6).toString("hex")}`;
  const startTicks = (await processStartTicks(process.pid)) ?? "0";
  await writeFile(ours, `${process.pid} ${startTicks} ${await bootId()}\n`, { flag: "wx" });
  try {
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
      if (await claim(ours, path)) return null;
      const content = await text(path);
      if (content === null) continue;
      const owner = parse(content);
      if (owner === null) break;
      if (await isAlive(owner)) return owner;
      const rival = await removeStale(path, content, ours);
      if (rival !== null) return rival;
    }
    return { pid: 0, startTicks: "0", bootId: "" };
  } finally {
    await unlink(ours);
  }
}
