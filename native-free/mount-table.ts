import { readFile } from "node:fs/promises";

/** The kernel's lists of what is in use: mounts, swap areas and md arrays, from /proc. */

export interface MountEntry {
  /** "MAJOR:MINOR" of what is mounted; btrfs and others have a number of their own here. */
  readonly device: string;
  readonly mountPoint: string;
  readonly fileSystem: string;
  /** As it was given to mount(8): the path of a device, or a name of the file system's own. */
  readonly source: string;
}

/** Blanks and backslashes come as three octal digits (proc(5)). */
function unescape(field: string): string {
  return field.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}

/** Reads /proc/PID/mountinfo; lines of another form are left out. */
export function parseMountInfo(text: string): MountEntry[] {
  const entries: MountEntry[] = [];
  for (const line of text.split("\n")) {
    const fields = line.split(" ");
    // A number of optional fields ends with a lone minus sign.
    const separator = fields.indexOf("-", 6);
    const [device, mountPoint] = [fields[2], fields[4]];
    const [fileSystem, source] = [fields[separator + 1], fields[separator + 2]];
    if (separator < 0 || device === undefined || mountPoint === undefined) continue;
    if (fileSystem === undefined || source === undefined) continue;
    entries.push({
      device,
      mountPoint: unescape(mountPoint),
      fileSystem,
      source: unescape(source),
    });
  }
  return entries;
}

/** Reads /proc/swaps: the paths of the devices and files that are swapped to. */
export function parseSwaps(text: string): string[] {
  return text
    .split("\n")
    .slice(1)
    .map((line) => /^(\S+)\s/.exec(line)?.[1])
    .filter((path) => path !== undefined)
    .map((path) => unescape(path.replace(/\\040\(deleted\)$/, "")));
}

/** An array of /proc/mdstat, and its members by their names under /dev. */
export interface MdArray {
  readonly array: string;
  readonly members: readonly string[];
}

/** Reads /proc/mdstat: "md0 : active raid1 sdb1[1] sda1[0](F)", also arrays that are not running. */
export function parseMdstat(text: string): MdArray[] {
  const arrays: MdArray[] = [];
  for (const line of text.split("\n")) {
    const match = /^(md\S*) : (.*)$/.exec(line);
    if (match === null) continue;
    const members = (match[2] ?? "").matchAll(/(\S+)\[\d+\]/g);
    arrays.push({ array: match[1] ?? "", members: [...members].map((member) => member[1] ?? "") });
  }
  return arrays;
}

export interface InUse {
  readonly mounts: readonly MountEntry[];
  readonly swaps: readonly string[];
  readonly arrays: readonly MdArray[];
}

/** Empty where there is none, as there is no mdstat in a kernel without md. */
async function text(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch {
    return "";
  }
}

/** All three lists of the running system. */
export async function readInUse(procFolder: string = "/proc"): Promise<InUse> {
  return {
    mounts: parseMountInfo(await text(`${procFolder}/self/mountinfo`)),
    swaps: parseSwaps(await text(`${procFolder}/swaps`)),
    arrays: parseMdstat(await text(`${procFolder}/mdstat`)),
  };
}
