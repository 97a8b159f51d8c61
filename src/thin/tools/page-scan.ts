import { IoError } from "../../util/io-error.ts";
import { readBytes } from "../../util/io-request.ts";
import { isFault } from "../format/fault.ts";
import { BLOCK_BYTES } from "../format/geometry.ts";
import {
  checkPage,
  crcOfPage,
  looksLikePage,
  type PageHeader,
  type PageKind,
} from "../format/page.ts";
import type { PagePointer } from "../format/pointer.ts";
import type { ExtentPlaces } from "./extent-places.ts";
import { READ_BYTES_MAX } from "./limits.ts";

/** A page that a scan found: whole, of the pool, and where it says that it is. */
export interface ScannedPage {
  readonly header: PageHeader;
  readonly crc: number;
}

/** All pages of a pool, by what they say of themselves. */
export class ScannedPages {
  readonly #byBlock = new Map<number, ScannedPage>();
  readonly #newest = new Map<string, ScannedPage>();
  unreadableBytes = 0;

  get count(): number {
    return this.#byBlock.size;
  }

  add(page: ScannedPage): void {
    const { kind, level, volume, index, block, generation } = page.header;
    this.#byBlock.set(block, page);
    const key = keyOf(kind, level, volume, index);
    const known = this.#newest.get(key);
    if (known === undefined || known.header.generation < generation) this.#newest.set(key, page);
  }

  /** The very page that a pointer means. */
  at({ block, crc }: PagePointer): ScannedPage | undefined {
    const page = this.#byBlock.get(block);
    return page?.crc === crc ? page : undefined;
  }

  /** The newest page of this name. */
  newest(kind: PageKind, level: number, volume: number, index: number): ScannedPage | undefined {
    return this.#newest.get(keyOf(kind, level, volume, index));
  }

  /** The newest of each name, of one kind. */
  newestOf(kind: PageKind): ScannedPage[] {
    return [...this.#newest.values()].filter(({ header }) => header.kind === kind);
  }
}

function keyOf(kind: PageKind, level: number, volume: number, index: number): string {
  return `${kind} ${level} ${volume} ${index}`;
}

/**
 * Reads all extents of a pool and finds the pages in them: a last resort, as it takes as long as the devices are large. A page in a
 * volume's data is a copy that somebody made: it says of itself that it belongs elsewhere.
 */
export async function scanPages(
  places: ExtentPlaces,
  poolUuid: string,
  onProgress: (doneBytes: number, totalBytes: number) => void,
): Promise<ScannedPages> {
  const found = new ScannedPages();
  const { extentBytes } = places.geometry;
  const perRead = Math.max(1, Math.floor(READ_BYTES_MAX / extentBytes));
  const totalBytes = places.extentCount * extentBytes;
  for (let phys = 0; phys < places.extentCount;) {
    const { index, first } = places.segmentOf(phys);
    const end = first + (places.segments[index]?.extents ?? 0);
    const count = Math.min(perRead, end - phys);
    await scanRun(places, poolUuid, phys, count, found);
    phys += count;
    onProgress(phys * extentBytes, totalBytes);
  }
  return found;
}

async function scanRun(
  places: ExtentPlaces,
  poolUuid: string,
  phys: number,
  count: number,
  found: ScannedPages,
): Promise<void> {
  const { device, offsetBytes } = places.placeOf(phys);
  const { extentBytes, blocksPerExtent } = places.geometry;
  if (device === null) return;
  let bytes: Buffer;
  try {
    bytes = await readBytes(device, offsetBytes, count * extentBytes);
  } catch (error) {
    if (!(error instanceof IoError)) throw error;
    // One bad place must not hide what is around it.
    if (count === 1) found.unreadableBytes += extentBytes;
    for (let one = 0; count > 1 && one < count; one += 1) {
      await scanRun(places, poolUuid, phys + one, 1, found);
    }
    return;
  }
  for (let at = 0; at < bytes.length; at += BLOCK_BYTES) {
    if (!looksLikePage(bytes, at)) continue;
    const page = bytes.subarray(at, at + BLOCK_BYTES);
    const block = phys * blocksPerExtent + at / BLOCK_BYTES;
    const header = checkPage(page, poolUuid, { block });
    if (!isFault(header)) found.add({ header, crc: crcOfPage(page) });
  }
}
