import { PARTIAL_FLAG } from "../format/layout.ts";

/** The extent of a leaf's entry that is not 0. */
export function physOf(entry: number): number {
  return (entry & ~PARTIAL_FLAG) - 1;
}

/** Whether some blocks of the entry live elsewhere: in its base, or nowhere. */
export function isPartial(entry: number): boolean {
  return entry >= PARTIAL_FLAG;
}
