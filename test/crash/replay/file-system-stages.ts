import { execFileSync } from "node:child_process";
import {
  closeSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import type { SeededRandom } from "../../../src/util/random.ts";

const MIB = 1024 * 1024;
const CHUNK_BYTES = 64 * 1024;

/** A kind of file system, made and changed by its own programs on an image. */
export interface FileSystemKind {
  readonly name: string;
  readonly programs: readonly string[];
  readonly sizeBytes: number;
  /** One after another; each leaves the image consistent. */
  readonly stages: readonly ((image: string, folder: string, random: SeededRandom) => void)[];
  /** @throws {Error} it finds something */
  check(image: string): void;
}

function run(program: string, args: readonly string[], input = ""): void {
  const env = { ...process.env, PATH: `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin` };
  execFileSync(program, args, { input, stdio: ["pipe", "pipe", "pipe"], env });
}

/** A folder with files of all sizes. */
function makeFiles(folder: string, random: SeededRandom): string {
  const files = join(folder, "files");
  mkdirSync(join(files, "deep", "deeper"), { recursive: true });
  for (let index = 0; index < 20; index += 1) {
    const place = join(files, random.pick(["", "deep", "deep/deeper"]));
    writeFileSync(join(place, `file${index}`), random.bytes(random.between(1, 300_000)));
  }
  return files;
}

/** Changes a file system of ext4 as a kernel would not: at once, but to a consistent state. */
function changeExt4(image: string, folder: string, random: SeededRandom): void {
  const source = join(folder, "source");
  writeFileSync(source, random.bytes(random.between(1, 400_000)));
  const name = `new${random.below(1_000_000)}`;
  const commands = [
    `mkdir /dir-${name}`,
    `write ${source} /dir-${name}/${name}`,
    `write ${source} /${name}`,
    `symlink /link-${name} /dir-${name}/${name}`,
    `rm /dir-${name}/${name}`,
  ];
  run("debugfs", ["-w", "-f", "-", image], commands.join("\n"));
}

export const EXT4: FileSystemKind = {
  name: "ext4",
  programs: ["mke2fs", "debugfs", "e2fsck", "tune2fs"],
  sizeBytes: 24 * MIB,
  stages: [
    (image, folder, random) =>
      run("mke2fs", ["-q", "-F", "-t", "ext4", "-d", makeFiles(folder, random), image]),
    changeExt4,
    (image) => run("tune2fs", ["-L", "crash", "-U", "random", image]),
    changeExt4,
    changeExt4,
  ],
  check: (image) => run("e2fsck", ["-f", "-n", image]),
};

/** mkfs.xfs refuses less. */
const XFS_BYTES = 320 * MIB;

function prototypeOf(folder: string, random: SeededRandom): string {
  const source = join(folder, "source");
  writeFileSync(source, random.bytes(200_000));
  const lines = ["/", "0 0", "d--755 0 0", "big ---644 0 0 " + source, "dir d--755 0 0"];
  for (let index = 0; index < 20; index += 1) lines.push(`file${index} ---644 0 0 ${source}`);
  lines.push("$", "$");
  const path = join(folder, "prototype");
  writeFileSync(path, `${lines.join("\n")}\n`);
  return path;
}

export const XFS: FileSystemKind = {
  name: "xfs",
  programs: ["mkfs.xfs", "xfs_admin", "xfs_repair"],
  sizeBytes: XFS_BYTES,
  stages: [
    (image, folder, random) =>
      run("mkfs.xfs", ["-q", "-f", "-p", prototypeOf(folder, random), image]),
    (image) => run("xfs_admin", ["-L", "crash", image]),
    (image) => run("xfs_admin", ["-U", "generate", image]),
  ],
  check: (image) => run("xfs_repair", ["-n", "-f", image]),
};

/** The image's content after each stage. */
export function runStages(kind: FileSystemKind, folder: string, random: SeededRandom): Buffer[] {
  const image = join(folder, "image");
  closeSync(openSync(image, "w"));
  const images: Buffer[] = [];
  for (const stage of kind.stages) {
    truncate(image, kind.sizeBytes);
    stage(image, folder, random);
    images.push(readFileSync(image));
  }
  return images;
}

function truncate(path: string, sizeBytes: number): void {
  const file = openSync(path, "r+");
  ftruncateSync(file, sizeBytes);
  closeSync(file);
}

/** Writes a sparse file. */
export function writeImage(path: string, content: Buffer): void {
  const file = openSync(path, "w");
  ftruncateSync(file, content.length);
  const zeros = Buffer.alloc(CHUNK_BYTES);
  for (let at = 0; at < content.length; at += CHUNK_BYTES) {
    const chunk = content.subarray(at, at + CHUNK_BYTES);
    if (!chunk.equals(zeros)) writeSync(file, chunk, 0, chunk.length, at);
  }
  closeSync(file);
}
