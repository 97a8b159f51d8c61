/** What the program is started with: its one argument, as JSON. */
export interface ProgramOptions {
  /** Paths of the pool's devices, in any order. */
  readonly devices: readonly string[];
  /** Make the devices, and a pool on them. */
  readonly create: {
    readonly deviceBytes: number;
    readonly extentBytes: number;
    readonly journalBytes: number;
  } | null;
}

/** What can be asked of the program: a line of JSON each. */
export type ProgramOperation =
  | {
      readonly kind: "create";
      readonly name: string;
      readonly uuid: string;
      readonly sizeBytes: number;
    }
  | { readonly kind: "snapshot"; readonly copies: readonly CopyOperation[] }
  | { readonly kind: "rollback"; readonly name: string; readonly source: string }
  | { readonly kind: "delete"; readonly name: string }
  | { readonly kind: "resize"; readonly name: string; readonly sizeBytes: number }
  | { readonly kind: "add-device"; readonly path: string; readonly uuid: string }
  | { readonly kind: "grow-device"; readonly path: string; readonly sizeBytes: number }
  | { readonly kind: "checkpoint" | "check" | "close" };

export interface CopyOperation {
  readonly source: string;
  readonly name: string;
  readonly uuid: string;
  readonly readOnly: boolean;
}

export interface ProgramRequest {
  readonly id: number;
  readonly operation: ProgramOperation;
}

/** A volume that is served; its LUN is its number in the pool. */
export interface ServedVolume {
  readonly name: string;
  readonly lun: number;
  readonly sizeBytes: number;
  readonly readOnly: boolean;
}

/** A line of JSON that the program writes. */
export type ProgramMessage =
  | { readonly kind: "ready"; readonly port: number; readonly volumes: readonly ServedVolume[] }
  | {
      readonly kind: "done";
      readonly id: number;
      /** Empty where it succeeded; findings of a check, or why it was refused. */
      readonly problems: readonly string[];
      readonly volumes: readonly ServedVolume[];
    }
  | { readonly kind: "refused"; readonly problem: string; readonly error: string }
  | { readonly kind: "log"; readonly level: string; readonly text: string };

export const TARGET_NAME = "iqn.2026-11.net.example:crash";
export const POOL_NAME = "tank";
