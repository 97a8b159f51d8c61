import type { LogicalUnit } from "../logical-unit.ts";
import { response } from "./response.ts";

/**
 * A mode page: what it holds. Initiators can change nothing, so its changeable values are zeros; what the administrator
 * has set is current and default.
 */
export interface ModePage {
  readonly page: number;
  readonly subpage: number;
  /** PAGE LENGTH: what follows the two bytes of the header (four with a subpage). */
  readonly lengthBytes: number;
  /** Appends `lengthBytes` to the response. */
  readonly build: (unit: LogicalUnit) => void;
}

/** Caching, SBC-3 6.5.5: where a volatile write cache is on (WCE), SYNCHRONIZE CACHE and FUA are what empties it. */
function buildCaching(unit: LogicalUnit): void {
  const WCE = 0x04;
  response.uint8(unit.writeCache ? WCE : 0).zeros(17);
}

/** Control, SPC-4 7.5.8: D_SENSE, unrestricted reordering of SIMPLE tasks, SWP, TAS = 0, no ACA. */
function buildControl(unit: LogicalUnit): void {
  const D_SENSE = 0x04;
  const UNRESTRICTED_REORDERING = 0x10;
  const SWP = 0x08;
  response
    .uint8(unit.descriptorSense ? D_SENSE : 0)
    .uint8(UNRESTRICTED_REORDERING)
    .uint8(unit.effective.softwareWriteProtect ? SWP : 0)
    .zeros(7);
}

/** Informational Exceptions Control, SPC-4 7.5.12: there are none to report (DEXCPT). */
function buildInformationalExceptions(): void {
  const DEXCPT = 0x08;
  response.uint8(DEXCPT).zeros(9);
}

/** In the order in which page 3Fh reports them: by page and subpage code (SPC-4 6.11.1). */
export const MODE_PAGES: readonly ModePage[] = [
  { page: 0x08, subpage: 0, lengthBytes: 18, build: buildCaching },
  { page: 0x0a, subpage: 0, lengthBytes: 10, build: buildControl },
  { page: 0x1c, subpage: 0, lengthBytes: 10, build: buildInformationalExceptions },
];
