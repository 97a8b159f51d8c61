import { stateFolder } from "../control/protocol.ts";
import { parseSize } from "../util/units.ts";
import { UsageError } from "./exit-code.ts";

/** What commands are told that take devices for a pool. */
export interface WipeOptions {
  readonly "state-dir": string | undefined;
  readonly wipe: string[] | undefined;
  readonly "i-know-this-is-not-empty": boolean;
}

export const WIPE_OPTIONS = {
  wipe: {
    type: "string",
    array: true,
    requiresArg: true,
    describe: "TYPE:UUID of what may be destroyed, exactly as the refusal names it",
  },
  "i-know-this-is-not-empty": {
    type: "boolean",
    default: false,
    describe: "Destroy bytes that nothing known explains",
  },
} as const;

export function overwriteOptionsOf(options: WipeOptions): {
  readonly stateDir: string;
  readonly wipe: readonly string[];
  readonly acceptData: boolean;
} {
  return {
    stateDir: stateFolder(options["state-dir"] ?? null),
    wipe: options.wipe ?? [],
    acceptData: options["i-know-this-is-not-empty"],
  };
}

/** Whether something may be destroyed. */
export function wipes(options: WipeOptions): boolean {
  return (options.wipe ?? []).length > 0 || options["i-know-this-is-not-empty"];
}

/** What is to be consented to. */
export function destroyed(options: WipeOptions, devices: readonly string[]): string {
  const data = options["i-know-this-is-not-empty"] ? ["unknown data"] : [];
  const named = [...(options.wipe ?? []), ...data];
  return `${named.join(", ")} on ${devices.join(", ")} will be destroyed`;
}

export function optionalSize(text: string | undefined): number | undefined {
  return text === undefined ? undefined : parseSize(text);
}

const LIST_SEPARATOR = ",";

/** Percents, ascending, as shares of 1; an empty text is none. */
export function parseThresholds(text: string): number[] {
  if (text === "") return [];
  return text.split(LIST_SEPARATOR).map((entry) => {
    const percent = Number(entry);
    if (Number.isInteger(percent) && percent >= 1 && percent <= 99) return percent / 100;
    throw new UsageError(`"${text}" is no list of percents: write such as 80,95`);
  });
}

/** A factor from 0 on. */
export function parseFactor(text: string): number {
  const factor = Number(text);
  if (text.trim() !== "" && Number.isFinite(factor) && factor >= 0) return factor;
  throw new UsageError(`"${text}" is no factor: write such as 4, or 0 for no limit`);
}
