import { assert } from "../../util/assert.ts";
import { IoError } from "../../util/io-error.ts";
import { readBytes } from "../../util/io-request.ts";
import { FormatFault, isFault } from "../format/fault.ts";
import { BLOCK_BYTES } from "../format/geometry.ts";
import { checkPage, type PageHeader, type PageKind } from "../format/page.ts";
import type { ExtentPlaces, Place } from "./extent-places.ts";
import { READ_BYTES_MAX, READ_GAP_BYTES_MAX, READS_IN_FLIGHT } from "./limits.ts";

/** A page that a parent points to. */
export interface WantedPage {
  readonly block: number;
  readonly crc: number;
  readonly kind: PageKind;
  readonly level: number;
  readonly index: number;
}

const KIND_NAMES = ["", "root", "directory", "volumes", "node", "leaf", "bases", "masks"] as const;

/** The page in words. */
export function nameOf({ kind, level, index, block }: WantedPage): string {
  const ofLevel = level === 0 ? "" : ` of level ${level}`;
  return `${KIND_NAMES[kind]} page ${index}${ofLevel} (block ${block})`;
}

/** A page that is the one that is meant, or why it is not. The bytes are the visitor's only until it returns. */
export type PageVisitor<Wanted extends WantedPage> = (
  wanted: Wanted,
  found: { readonly page: Uint8Array; readonly header: PageHeader } | FormatFault,
) => void;

interface Placed<Wanted> {
  readonly wanted: Wanted;
  readonly place: Place;
}

type Run<Wanted> = readonly Placed<Wanted>[];

/**
 * Reads pages in the order of their places, in long reads, and verifies each against what its parent says. While the pages of one read are
 * visited the next ones are under way.
 */
export async function readPages<Wanted extends WantedPage>(
  places: ExtentPlaces,
  poolUuid: string,
  wanted: readonly Wanted[],
  visit: PageVisitor<Wanted>,
): Promise<void> {
  const runs = runsOf(places, wanted, visit);
  const ahead = runs.slice(0, READS_IN_FLIGHT).map(readRun);
  for (const [index, run] of runs.entries()) {
    const bytes = await ahead.shift();
    assert(bytes !== undefined, "each run is read once");
    const next = runs[index + READS_IN_FLIGHT];
    if (next !== undefined) ahead.push(readRun(next));
    if (isFault(bytes) && run.length > 1) {
      // One bad sector must not take its neighbours with it.
      for (const one of run) visitRun(poolUuid, [one], await readRun([one]), visit);
    } else visitRun(poolUuid, run, bytes, visit);
  }
}

/** What one read brings: pages that are next to each other, nearly. What is nowhere is visited at once. */
function runsOf<Wanted extends WantedPage>(
  places: ExtentPlaces,
  wanted: readonly Wanted[],
  visit: PageVisitor<Wanted>,
): Run<Wanted>[] {
  const runs: Run<Wanted>[] = [];
  let run: Placed<Wanted>[] = [];
  for (const one of wanted.toSorted((a, b) => a.block - b.block)) {
    if (!places.hasBlock(one.block)) {
      visit(one, new FormatFault("damaged", "a pointer to no place of the pool"));
      continue;
    }
    const placed = { wanted: one, place: places.placeOfBlock(one.block) };
    if (run.length === 0 || !continues(run, placed.place)) {
      run = [];
      runs.push(run);
    }
    run.push(placed);
  }
  return runs;
}

function continues<Wanted>(run: readonly Placed<Wanted>[], place: Place): boolean {
  const first = run[0]?.place;
  const last = run.at(-1)?.place;
  if (first === undefined || last === undefined) return true;
  const gapBytes = place.offsetBytes - last.offsetBytes - BLOCK_BYTES;
  return (
    place.device === first.device &&
    gapBytes >= -BLOCK_BYTES &&
    gapBytes <= READ_GAP_BYTES_MAX &&
    place.offsetBytes + BLOCK_BYTES - first.offsetBytes <= READ_BYTES_MAX
  );
}

/** All of the run's bytes, from its first page to its last. */
function readRun<Wanted>(run: Run<Wanted>): Promise<Buffer | FormatFault> {
  const first = run[0]?.place;
  const last = run.at(-1)?.place;
  assert(first !== undefined && last !== undefined, "a run has a page");
  return readOrFault(first, last.offsetBytes + BLOCK_BYTES - first.offsetBytes);
}

function visitRun<Wanted extends WantedPage>(
  poolUuid: string,
  run: Run<Wanted>,
  bytes: Buffer | FormatFault,
  visit: PageVisitor<Wanted>,
): void {
  const startBytes = run[0]?.place.offsetBytes ?? 0;
  for (const { wanted, place } of run) {
    if (isFault(bytes)) {
      visit(wanted, bytes);
      continue;
    }
    const at = place.offsetBytes - startBytes;
    const page = bytes.subarray(at, at + BLOCK_BYTES);
    const header = checkPage(page, poolUuid, wanted);
    if (isFault(header)) visit(wanted, header);
    else visit(wanted, headerFits(wanted, header) ?? { page, header });
  }
}

function headerFits(wanted: WantedPage, header: PageHeader): FormatFault | null {
  if (header.level === wanted.level && header.index === wanted.index) return null;
  const found = `level ${header.level}, number ${header.index}`;
  const message = `a page of ${found} instead of level ${wanted.level}, number ${wanted.index}`;
  return new FormatFault("misplaced", message);
}

async function readOrFault(place: Place, lengthBytes: number): Promise<Buffer | FormatFault> {
  if (place.device === null) return new FormatFault("absent", "its device is missing");
  try {
    return await readBytes(place.device, place.offsetBytes, lengthBytes);
  } catch (error) {
    if (!(error instanceof IoError)) throw error;
    return new FormatFault("damaged", `cannot be read: ${error.message}`);
  }
}
