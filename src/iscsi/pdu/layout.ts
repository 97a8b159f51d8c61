import { assert } from "../../util/assert.ts";
import { BASIC_HEADER_BYTES } from "./basic-header.ts";

/** A field: where it begins and how many bytes it takes. */
export type Field = readonly [offset: number, lengthBytes: number];

/**
 * Checks at load that the named fields tile the basic header without gap or overlap; reserved ranges are named too.
 * A slip of the pen in an offset table stops the program instead of corrupting a session.
 */
export function checkLayout(name: string, fields: Readonly<Record<string, Field>>): void {
  const sorted = Object.values(fields).toSorted((a, b) => a[0] - b[0]);
  let end = 0;
  for (const [offset, lengthBytes] of sorted) {
    if (offset !== end)
      throw new RangeError(`${name}: fields do not tile the header at byte ${end}`);
    end = offset + lengthBytes;
  }
  assert(end === BASIC_HEADER_BYTES, "the fields of a PDU fill the basic header");
}
