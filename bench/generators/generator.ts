import type { Latency, LoadShape, SecondGenerator } from "../result.ts";

/** A load on one LUN of an iSCSI target that runs. */
export interface Drive {
  /** "iscsi://HOST:PORT/TARGET/LUN" */
  readonly url: string;
  readonly load: LoadShape;
  readonly diskBytes: number;
  readonly seconds: number;
}

/** What one run of a program has said and used. */
export interface ProgramRun {
  readonly stdout: string;
  /** From its start to its end, with logging in and out. */
  readonly elapsedSeconds: number;
  /** User and system. */
  readonly targetCpuSeconds: number;
  readonly generatorCpuSeconds: number;
}

/** Runs a program that should be done in so many seconds; rejects with what it says where it fails or takes far longer. */
export type RunProgram = (command: readonly string[], seconds: number) => Promise<ProgramRun>;

export interface Driven {
  readonly operations: number;
  readonly operationsPerSecond: number;
  /** Null where it does not tell. */
  readonly latency: Latency | null;
  /** The run in which these were counted. */
  readonly run: ProgramRun;
}

/** A program of others that puts a load on an iSCSI target, so that our own initiator need not be believed. */
export interface Generator {
  readonly name: SecondGenerator;
  /** Its version in its own words, or why it cannot be used. */
  find(): Promise<{ readonly version: string } | { readonly absent: string }>;
  /** Why it cannot make this load, or null. */
  objection(load: LoadShape): string | null;
  drive(drive: Drive, run: RunProgram): Promise<Driven>;
}

/** What none of them does. */
export function commonObjection(load: LoadShape): string | null {
  if (load.kind !== "read" && load.kind !== "write") return "it reads or writes";
  if (load.sessions > 1) return "it has one session";
  if (load.luns > 1) return "it has one LUN";
  if (load.digests) return "it does not ask for digests";
  return load.flushEvery > 0 ? "it does not flush while it writes" : null;
}

/** Throws where a program does not say that it did what it was told. */
export function expectSaid(program: string, output: string, expected: string): void {
  if (output.includes(expected)) return;
  throw new Error(`${program} does not say "${expected}": ${JSON.stringify(output.slice(0, 200))}`);
}
