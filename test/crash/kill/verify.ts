import type { InitiatorSession } from "../../../src/initiator/session.ts";
import { read, readCapacity16 } from "../../../src/initiator/scsi.ts";
import { GARBAGE, inWordsOf, readTags, type Tag } from "../../simulation/tags.ts";
import type { VolumeModel } from "./volume-model.ts";
import { VolumeState } from "./volume-state.ts";
import type { Windows } from "./windows.ts";

const SECTOR_BYTES = 512;
const READ_SECTORS = 1024;
const READS_IN_FLIGHT = 4;

/** How many sectors a complaint lists. */
const SECTORS_TOLD_MAX = 8;

/** What was read of a volume. */
export interface Content {
  readonly capacitySectors: number;
  /** By slot; those past the end are zeros. */
  readonly serials: Uint32Array;
  /** By slot: a sector that is garbage or belongs elsewhere. */
  readonly misplaced: ReadonlyMap<number, Tag>;
}

interface Piece {
  readonly lba: number;
  readonly slot: number;
  readonly sectors: number;
}

function piecesOf(windows: Windows, capacitySectors: number): Piece[] {
  const pieces: Piece[] = [];
  for (const { lba, first, sectors } of windows.within(capacitySectors)) {
    for (let at = 0; at < sectors; at += READ_SECTORS) {
      const count = Math.min(READ_SECTORS, sectors - at);
      pieces.push({ lba: lba + at, slot: first + at, sectors: count });
    }
  }
  return pieces;
}

/** Reads all windows of a volume. */
export async function readContent(
  session: InitiatorSession,
  lun: number,
  windows: Windows,
): Promise<Content> {
  const { blocks: capacitySectors } = await readCapacity16(session, lun);
  const serials = new Uint32Array(windows.slots);
  const misplaced = new Map<number, Tag>();
  const pieces = piecesOf(windows, capacitySectors);
  const work = async (): Promise<void> => {
    for (let piece = pieces.pop(); piece !== undefined; piece = pieces.pop()) {
      const range = { lun, lba: piece.lba, blocks: piece.sectors, blockBytes: SECTOR_BYTES };
      noteTags(await read(session, range), piece, serials, misplaced);
    }
  };
  await Promise.all(Array.from({ length: READS_IN_FLIGHT }, work));
  return { capacitySectors, serials, misplaced };
}

function noteTags(
  bytes: Uint8Array,
  piece: Piece,
  serials: Uint32Array,
  misplaced: Map<number, Tag>,
): void {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  for (const [index, tag] of readTags(buffer).entries()) {
    const slot = piece.slot + index;
    const isRight = tag.serial !== GARBAGE && (tag.serial === 0 || tag.lba === piece.lba + index);
    if (isRight) serials[slot] = tag.serial;
    else misplaced.set(slot, tag);
  }
}

/** What is wrong with a sector, in words: where it is, what was found there, and the serials of what is right. */
export function wrongSector(state: VolumeState, slot: number, lba: number, found: Tag): string {
  const wanted = state.wanted(slot).map((value) => (value === 0 ? "zeros" : `#${value}`));
  return `sector ${lba} (slot ${slot}) has ${inWordsOf(found)}, wanted ${wanted.join(" or ")}`;
}

/** What of the content a state does not allow, in words; null where all is right. */
export function complaintOf(
  model: VolumeModel,
  state: VolumeState,
  content: Content,
  windows: Windows,
): string | null {
  const lines: string[] = [];
  if (content.capacitySectors !== state.capacitySectors) {
    lines.push(`has ${content.capacitySectors} sectors instead of ${state.capacitySectors}`);
  }
  let wrong = 0;
  for (let slot = 0; slot < windows.slots; slot += 1) {
    const tag = content.misplaced.get(slot);
    const serial = content.serials[slot] ?? 0;
    if (tag === undefined && state.allows(slot, serial)) continue;
    wrong += 1;
    if (wrong > SECTORS_TOLD_MAX) continue;
    const found = tag ?? { volume: model.tag, lba: windows.lbaOf(slot), serial };
    lines.push(wrongSector(state, slot, windows.lbaOf(slot), found));
  }
  if (wrong > SECTORS_TOLD_MAX) lines.push(`and ${wrong - SECTORS_TOLD_MAX} more sectors`);
  return lines.length === 0 ? null : `volume ${model.name}: ${lines.join("; ")}`;
}

/** The state that a volume turned out to have. */
export function settledState(content: Content): VolumeState {
  return new VolumeState(content.capacitySectors, content.serials);
}
