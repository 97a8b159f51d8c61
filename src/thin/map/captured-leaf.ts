import { assert } from "../../util/assert.ts";
import type { LeafPointers } from "../format/pointer.ts";
import { NO_PAGE } from "./leaf-table.ts";
import type { PageSlabs } from "./page-slabs.ts";

/** A leaf's pages: 64 bytes of room for a header, then the entries as they are on the media. */
export interface LeafPages {
  readonly leaf: Uint8Array;
  readonly bases: Uint8Array | null;
  readonly masks: Uint8Array | null;
}

/** A leaf as it was at one moment, to be written. Its pages stay what they are until {@link written}. */
export class CapturedLeaf {
  readonly leaf: number;
  readonly page: number;
  readonly basesPage: number;
  readonly masksPage: number;
  /** A volume that has it, and where: what its page says of itself. Set when the nodes above are captured, as they always are. */
  volume = 0;
  index = 0;
  /** The leaf has pages of its own again, or is gone: the capture's are given back when it ends. */
  isDetached = false;
  isGone = false;
  /** Where it was written, once it was. */
  pointers: LeafPointers | null = null;
  readonly #slabs: PageSlabs;
  readonly #end: (capture: CapturedLeaf) => void;

  constructor(
    slabs: PageSlabs,
    leaf: number,
    pages: readonly [page: number, bases: number, masks: number],
    end: (capture: CapturedLeaf) => void,
  ) {
    this.#slabs = slabs;
    this.leaf = leaf;
    [this.page, this.basesPage, this.masksPage] = pages;
    this.#end = end;
  }

  get pageCount(): number {
    return this.basesPage === NO_PAGE ? 1 : 3;
  }

  /** The memory itself: the caller may fill in the headers, and nothing else. */
  pages(): LeafPages {
    assert(this.pointers === null, "a captured leaf is written once");
    const isWhole = this.basesPage === NO_PAGE;
    return {
      leaf: this.#slabs.bytes(this.page),
      bases: isWhole ? null : this.#slabs.bytes(this.basesPage),
      masks: isWhole ? null : this.#slabs.bytes(this.masksPage),
    };
  }

  /** It is on the device, though not flushed, at these places. The leaf's old places are freed: call nothing else for it. */
  written(pointers: LeafPointers): void {
    assert(this.pointers === null, "a captured leaf is written once");
    assert((pointers.bases === null) === (this.basesPage === NO_PAGE), "side pages are written");
    this.pointers = pointers;
    this.#end(this);
  }
}
