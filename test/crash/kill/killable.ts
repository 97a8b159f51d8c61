import type { ProgramOperation, ProgramOptions, ServedVolume } from "../program/protocol.ts";

/** What an operation came to. */
export interface Outcome {
  readonly problems: readonly string[];
  readonly volumes: readonly ServedVolume[];
}

export type Start =
  | { readonly kind: "ready"; readonly port: number; readonly volumes: readonly ServedVolume[] }
  | { readonly kind: "refused"; readonly problem: string; readonly error: string }
  | { readonly kind: "died" };

/** A process with a pool that the supervisor kills. */
export interface Killable {
  readonly started: Promise<Start>;
  readonly isKilled: boolean;
  /** It ended by a defect of its own. */
  readonly hasDefect: boolean;
  /** It has opened the pool without the newest checkpoint, which no device is to blame for here. */
  readonly hasFallenBack: boolean;
  /** Its last lines. */
  readonly log: readonly string[];
  /** Null: it died before it answered. */
  request(operation: ProgramOperation): Promise<Outcome | null>;
  signal(signal: NodeJS.Signals): void;
  /** Resolves when nothing of it is left, apart from children of its own that have not ended. */
  kill(): Promise<void>;
  /** Resolves when it has ended by itself. */
  ended(): Promise<void>;
}

/** Whether a line of a log says that a pool was opened without its newest checkpoint. */
export function saysFellBack(line: string): boolean {
  return line.includes('"fellBack":true');
}

/** How processes are started on a pool. */
export interface Kind {
  start(options: ProgramOptions): Killable;
  /** Whether volumes can be copied, resized and so on. */
  readonly hasOperations: boolean;
  /** Lets go of what is kept from one process to the next. */
  dispose(): Promise<void>;
}
