import type { LunConfig } from "../../config/config.ts";
import { leadingNumber } from "../parameters.ts";
import { TgtRefused } from "./tgt-refused.ts";

/** SPC-4 7.5 and SBC-3 6.5: of all that mode pages say, what can be had. The bytes count from the third of the page. */
const LENGTH_MASK = 0xffff;
const CACHING_PAGE = 8;
const WRITE_CACHE_BYTE = 0;
const WRITE_CACHE_BIT = 0x04;
const CONTROL_PAGE = 10;
const WRITE_PROTECT_BYTE = 2;
const WRITE_PROTECT_BIT = 0x08;

/**
 * Reads `PAGE:SUBPAGE:LENGTH:BYTE:BYTE...` as tgt's `mode_page` has it. What is none, or says nothing that can be had, changes nothing.
 * Refused: invalid-request where there are more bytes than the length says; fewer are filled up with zeros.
 *
 * @param isSync every write is durable, whatever a page says
 */
export function modePageSettings(text: string, isSync: boolean): LunConfig["settings"] {
  const [page, subpage, length = 0, ...bytes] = text.split(":").map((part) => leadingNumber(part));
  if (bytes.length > (length & LENGTH_MASK)) {
    throw new TgtRefused("invalid-request", "the mode page is longer than it says");
  }
  if (subpage !== 0) return {};
  const byteAt = (index: number): number | undefined => bytes[index];
  if (page === CACHING_PAGE) {
    const byte = byteAt(WRITE_CACHE_BYTE);
    if (byte === undefined) return {};
    return { writeCache: !isSync && (byte & WRITE_CACHE_BIT) !== 0 };
  }
  const byte = page === CONTROL_PAGE ? byteAt(WRITE_PROTECT_BYTE) : undefined;
  if (byte === undefined) return {};
  return { softwareWriteProtect: (byte & WRITE_PROTECT_BIT) !== 0 };
}
