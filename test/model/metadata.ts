/** One slot of a volume's map. Blocks in `mask` live in `extent`, the others in `base` (or are zeros: HOLE). */
export interface Entry {
  readonly extent: number;
  readonly mask: number;
  readonly base: number;
}

export type Entries = readonly (Entry | undefined)[];

/**
 * What the journal says. `safe` promises that the record may be replayed after a power loss although its data may
 * not have reached the media: all that can be seen then is the old content, which was zeros.
 */
export type JournalRecord =
  | {
      readonly kind: "map";
      readonly volume: number;
      readonly lext: number;
      readonly entry: Entry;
      readonly safe: boolean;
    }
  | { readonly kind: "unmap"; readonly volume: number; readonly lext: number }
  | { readonly kind: "snap"; readonly pairs: readonly (readonly [source: number, copy: number])[] }
  | { readonly kind: "delete"; readonly volume: number }
  | { readonly kind: "rollback"; readonly volume: number; readonly source: number }
  | { readonly kind: "resize"; readonly volume: number; readonly extents: number }
  | { readonly kind: "grow"; readonly device: number }
  | { readonly kind: "virgin"; readonly from: number }
  | { readonly kind: "barrier"; readonly upto: number };

export interface JournalBlock {
  readonly kind: "journal";
  readonly epoch: number;
  readonly seq: number;
  readonly records: readonly JournalRecord[];
}

export interface Superblock {
  readonly kind: "superblock";
  readonly generation: number;
  readonly epoch: number;
  readonly boot: number;
  readonly root: RootPointer;
}

/** Where the root is. `written` stands for the checksum that a parent keeps of its child. */
export interface RootPointer {
  readonly slot: number;
  readonly written: number;
}

/** Where a volume's leaf is, with its checksum. */
export interface LeafPointer {
  readonly volume: number;
  readonly slot: number;
  readonly written: number;
}

export interface Root {
  readonly kind: "root";
  readonly written: number;
  readonly seq: number;
  readonly devices: number;
  readonly virginFrom: number;
  readonly leaves: readonly LeafPointer[];
}

export interface Leaf {
  readonly kind: "leaf";
  readonly written: number;
  readonly entries: Entries;
}

/** The mark by which a device is known as a member of the pool. */
export interface Label {
  readonly kind: "label";
  readonly device: number;
}

/** What a checksum finds: neither the old block nor the new one. */
export interface Torn {
  readonly kind: "torn";
}

/** Data sectors hold a number, the tag of the write they come from; 0 is zeros, negative is foreign. */
export type Content = number | JournalBlock | Superblock | Root | Leaf | Label | Torn | undefined;

export function isSafe(record: JournalRecord): boolean {
  if (record.kind === "map") return record.safe;
  // A mark that is too far ahead costs a punch, no more.
  return record.kind === "unmap" || record.kind === "virgin";
}
