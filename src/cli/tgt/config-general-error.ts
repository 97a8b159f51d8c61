import { makeVisible } from "../../util/visible-text.ts";

/** Where something is said. Lines count from 1; 0: the whole file. */
export interface Place {
  readonly file: string;
  readonly line: number;
}

/** Something about a configuration, and where it is said. */
export interface Remark {
  readonly place: Place;
  /** Shows no password. */
  readonly message: string;
}

/** The configuration cannot be used. The message has a line "file:line: message" for each thing that is wrong. */
export class ConfigGeneralError extends Error {
  override readonly name = "ConfigGeneralError";
  readonly remarks: readonly Remark[];

  constructor(remarks: readonly Remark[], cause?: unknown) {
    super(remarks.map(describeRemark).join("\n"), cause === undefined ? {} : { cause });
    this.remarks = remarks;
  }
}

/** "file:line: message", as compilers say it, so that editors can jump there. Fit for a terminal. */
export function describeRemark({ place, message }: Remark): string {
  return makeVisible(`${describePlace(place)}: ${message}`);
}

export function describePlace({ file, line }: Place): string {
  return line === 0 ? file : `${file}:${line}`;
}

/** Throws a {@link ConfigGeneralError} with one remark. */
export function refuse(place: Place, message: string, cause?: unknown): never {
  throw new ConfigGeneralError([{ place, message }], cause);
}
