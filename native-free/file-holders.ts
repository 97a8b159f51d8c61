import { readdir, readFile, stat } from "node:fs/promises";
import { deviceNumbers } from "./block-geometry.ts";

/** At most this many are named: the message is for a person. */
const HOLDERS_MAX = 4;

interface Identity {
  readonly dev: number;
  readonly ino: number;
  readonly rdev: number;
}

function isSame(a: Identity, b: Identity): boolean {
  return a.rdev === 0 || b.rdev === 0 ? a.dev === b.dev && a.ino === b.ino : a.rdev === b.rdev;
}

async function listed(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch {
    return [];
  }
}

async function hasOpen(pid: string, wanted: Identity): Promise<boolean> {
  for (const fd of await listed(`/proc/${pid}/fd`)) {
    try {
      if (isSame(await stat(`/proc/${pid}/fd/${fd}`), wanted)) return true;
    } catch {
      continue;
    }
  }
  return false;
}

async function commandName(pid: string): Promise<string> {
  try {
    return (await readFile(`/proc/${pid}/comm`, "utf8")).trim();
  } catch {
    return "?";
  }
}

/** The mount points of a block device, from the mount table: "MAJOR:MINOR" is its third field (proc(5)). */
async function mountPoints(wanted: Identity): Promise<string[]> {
  if (wanted.rdev === 0) return [];
  const { major, minor } = deviceNumbers(wanted.rdev);
  const number = `${major}:${minor}`;
  try {
    const table = await readFile("/proc/self/mountinfo", "utf8");
    const fields = table.split("\n").map((line) => line.split(" "));
    return fields.filter((field) => field[2] === number).map((field) => `mounted on ${field[4]}`);
  } catch {
    return [];
  }
}

/**
 * Who has a file or device open, as far as this user may see, for the message of a refused lock: "process 12 (name)"
 * or "mounted on /there". Empty when nobody is visible. Slow, so only after a refusal.
 */
export async function describeHolders(path: string): Promise<string> {
  const found: string[] = [];
  try {
    const wanted = await stat(path);
    found.push(...(await mountPoints(wanted)));
    for (const pid of await listed("/proc")) {
      if (found.length >= HOLDERS_MAX) break;
      if (!/^\d+$/.test(pid) || pid === String(process.pid)) continue;
      if (await hasOpen(pid, wanted)) found.push(`process ${pid} (${await commandName(pid)})`);
    }
  } catch {
    // The path is gone meanwhile; the refusal stands without names.
  }
  return found.slice(0, HOLDERS_MAX).join(", ");
}
