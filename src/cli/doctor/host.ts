import type { PoolReport } from "../../control/protocol.ts";

export interface FolderFacts {
  /** The permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly isFolder: boolean;
}

/** What a file system can do, as seen by trying it. */
export interface FileSystemFacts {
  /** As the kernel calls it, such as ext4. */
  readonly type: string;
  /** Past the page cache (O_DIRECT). */
  readonly direct: boolean;
  readonly holes: "work" | "unsupported" | "untried";
}

/** Whom the daemon could be asked about, or why not. */
export type PoolsAnswer =
  { readonly pools: readonly PoolReport[] } | { readonly unreachable: string };

/** How a program ended; null: there is no such program, or it did not end. */
export interface ProgramResult {
  readonly exitCode: number;
  readonly stdout: string;
}

/** Who listens on a port: `kernel` where no process has the socket. */
export interface Listener {
  readonly holder: string;
  readonly pid: number | null;
}

/** Everything that the checks look at. Tests make hosts up. */
export interface Host {
  readonly nodeVersion: string;
  readonly uid: number;
  readonly stateFolder: string;
  /** The configuration file of the daemon. */
  readonly configFile: string;
  /** Null: there is none, or it may not be read. */
  readText(path: string): Promise<string | null>;
  /** Names in a folder; empty where there is none. */
  list(folder: string): Promise<readonly string[]>;
  factsOf(path: string): Promise<FolderFacts | null>;
  /** Of the folder, or of the nearest one above it that exists. */
  fileSystemOf(folder: string): Promise<FileSystemFacts>;
  /** The path with all links followed; itself where it leads nowhere. */
  resolve(path: string): Promise<string>;
  hasProgram(name: string): Promise<boolean>;
  run(program: string, ...args: readonly string[]): Promise<ProgramResult | null>;
  /** How open files are locked here. */
  lockMethod(): Promise<string>;
  listenerOn(port: number): Promise<Listener | null>;
  pools(): Promise<PoolsAnswer>;
}
