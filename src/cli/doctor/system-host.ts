import {
  access,
  open,
  readdir,
  readFile,
  readlink,
  realpath,
  stat,
  unlink,
} from "node:fs/promises";
import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { dirname, join } from "node:path";
import { runChild } from "../../../native-free/child-process.ts";
import { probeDirectIo } from "../../../native-free/direct-io.ts";
import { lockFile } from "../../../native-free/file-lock.ts";
import { parseMountInfo } from "../../../native-free/mount-table.ts";
import { controlSocketPath, stateFolder } from "../../control/protocol.ts";
import { ControlClient } from "../control-client.ts";
import type {
  FileSystemFacts,
  FolderFacts,
  Host,
  Listener,
  PoolsAnswer,
  ProgramResult,
} from "./host.ts";
import { listeningInode } from "./listening-sockets.ts";

const PROGRAM_FOLDERS = [
  "/usr/local/sbin",
  "/usr/local/bin",
  "/usr/sbin",
  "/usr/bin",
  "/sbin",
  "/bin",
];

/** Bytes of the scratch file that holes are tried on. */
const SCRATCH_BYTES = 65_536;

/** What is not there, or may not be seen, is null. */
async function attempt<T>(action: Promise<T>): Promise<T | null> {
  try {
    return await action;
  } catch {
    return null;
  }
}

async function nearestFolder(path: string): Promise<string> {
  const facts = await attempt(stat(path));
  if (facts?.isDirectory() === true) return path;
  const above = dirname(path);
  return above === path ? path : nearestFolder(above);
}

async function run(program: string, ...args: readonly string[]): Promise<ProgramResult | null> {
  const { outcome, exitCode, stdout } = await runChild(program, args, { timeoutMs: 5_000 });
  return outcome === "exited" ? { exitCode, stdout } : null;
}

async function fileSystemType(folder: string): Promise<string> {
  const mounts = parseMountInfo((await attempt(readFile("/proc/self/mountinfo", "utf8"))) ?? "");
  const path = `${(await attempt(realpath(folder))) ?? folder}/`;
  const isAbove = ({ mountPoint }: { mountPoint: string }): boolean =>
    path.startsWith(mountPoint === "/" ? "/" : `${mountPoint}/`);
  // Of mounts at one place the last one is seen.
  const nearest = mounts
    .filter(isAbove)
    .reduce<string[]>(
      (best, { mountPoint, fileSystem }) =>
        mountPoint.length >= (best[0]?.length ?? 0) ? [mountPoint, fileSystem] : best,
      [],
    );
  return nearest[1] ?? "unknown";
}

/** Does something with a file of its own in a folder; null where none can be made. */
async function withScratch<T>(
  folder: string,
  work: (path: string, fd: number) => Promise<T>,
): Promise<T | null> {
  const path = join(folder, `.thinlun-doctor-${randomBytes(8).toString("hex")}`);
  const file = await attempt(
    open(path, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL, 0o600),
  );
  if (file === null) return null;
  try {
    await file.truncate(SCRATCH_BYTES);
    return await work(path, file.fd);
  } finally {
    await file.close();
    await attempt(unlink(path));
  }
}

async function fileSystemOf(wanted: string): Promise<FileSystemFacts> {
  const folder = await nearestFolder(wanted);
  const type = await fileSystemType(folder);
  const tried = await withScratch(folder, async (path) => {
    const { direct } = await probeDirectIo(path);
    const punched = await run("fallocate", "-p", "-o", "0", "-l", "4096", path);
    const holes = punched === null ? "untried" : punched.exitCode === 0 ? "work" : "unsupported";
    return { type, direct, holes } as const;
  });
  if (tried === null) throw new Error(`nothing can be written in ${folder}`);
  return tried;
}

async function listenerOn(port: number): Promise<Listener | null> {
  const tables = await Promise.all(
    ["tcp", "tcp6"].map((name) => attempt(readFile(`/proc/net/${name}`, "utf8"))),
  );
  const inode = listeningInode(tables.map((text) => text ?? "").join("\n"), port);
  if (inode === null) return null;
  for (const pid of (await attempt(readdir("/proc"))) ?? []) {
    if (!/^\d+$/.test(pid)) continue;
    for (const fd of (await attempt(readdir(`/proc/${pid}/fd`))) ?? []) {
      if ((await attempt(readlink(`/proc/${pid}/fd/${fd}`))) !== `socket:[${inode}]`) continue;
      const name = (await attempt(readFile(`/proc/${pid}/comm`, "utf8"))) ?? "";
      return { holder: name.trim(), pid: Number(pid) };
    }
  }
  // Others' descriptors are not for us to see.
  return process.getuid?.() === 0
    ? { holder: "kernel", pid: null }
    : { holder: "somebody else", pid: null };
}

async function askForPools(stateDir: string | null): Promise<PoolsAnswer> {
  const client = new ControlClient(controlSocketPath(stateDir));
  try {
    return { pools: await client.call("pool/list", {}) };
  } catch (error) {
    return { unreachable: error instanceof Error ? error.message : String(error) };
  } finally {
    await client.close();
  }
}

/** This machine. */
export function systemHost(stateDir: string | null, configFile: string): Host {
  const state = stateFolder(stateDir);
  return {
    nodeVersion: process.versions.node,
    uid: process.getuid?.() ?? 0,
    stateFolder: state,
    configFile,
    readText: (path) => attempt(readFile(path, "utf8")),
    list: async (folder) => (await attempt(readdir(folder))) ?? [],
    factsOf: async (path): Promise<FolderFacts | null> => {
      const facts = await attempt(stat(path));
      if (facts === null) return null;
      return { mode: facts.mode & 0o7777, uid: facts.uid, isFolder: facts.isDirectory() };
    },
    fileSystemOf,
    resolve: async (path) => (await attempt(realpath(path))) ?? path,
    hasProgram: async (name) => {
      const folders = [...(process.env["PATH"] ?? "").split(":"), ...PROGRAM_FOLDERS];
      const found = await Promise.all(
        folders.map((folder) =>
          attempt(access(join(folder, name), constants.X_OK).then(() => true)),
        ),
      );
      return found.includes(true);
    },
    run,
    lockMethod: async () => {
      const folder = await nearestFolder(state);
      const method = await withScratch(folder, async (path, fd) => {
        const lock = await lockFile(fd, path);
        await lock.release();
        return lock.method;
      });
      if (method === null) throw new Error(`nothing can be written in ${folder}`);
      return method;
    },
    listenerOn,
    pools: () => askForPools(stateDir),
  };
}
