import { NO_EXTENT } from "../format/geometry.ts";
import { LEAF_ENTRIES, PAGE_HEADER_BYTES } from "../format/layout.ts";
import { isPartial, physOf } from "./entry.ts";
import type { LeafWords } from "./leaf-check.ts";
import { NO_LEAF } from "./leaf-store.ts";
import { PoolError } from "../pool-error.ts";
import type { PoolState } from "./pool-state.ts";

/** After so many findings the rest is noise. */
const FINDINGS_MAX = 50;

const HEADER_WORDS: number = PAGE_HEADER_BYTES / 4;

/** Leaves that are not in memory, as they are on the media. */
type StoredLeaves = ReadonlyMap<number, { readonly block: number; readonly words: LeafWords }>;

/**
 * Counts everything anew from the maps and compares: in words what is not as it should be, nothing if all is well. One step. Of leaves
 * that are not in memory it does not know the entries: counts may then be higher than what is found.
 */
export function auditResident(state: PoolState): string[] {
  return new Audit(state, new Map()).run();
}

/** How often {@link auditState} looks for leaves that were given up since. */
const TRIES_MAX = 5;

export interface AuditOptions {
  readonly signal?: AbortSignal;
  /** Leaves that were read, of how many. */
  readonly onProgress?: (done: number, total: number) => void;
}

/**
 * The same with the leaves that are not in memory: they are read beside the memory limit. Rejects with IoError "medium", and with
 * PoolError "busy" where the signal has stopped it.
 */
export async function auditState(
  state: PoolState,
  { signal, onProgress }: AuditOptions = {},
): Promise<string[]> {
  const stored = new Map<number, { block: number; words: LeafWords }>();
  for (let tries = 0; tries < TRIES_MAX; tries += 1) {
    const missing = absentLeaves(state, stored);
    if (missing.length === 0) break;
    for (const [index, leaf] of missing.entries()) {
      if (signal?.aborted === true) throw new PoolError("busy", "the check was stopped");
      onProgress?.(index, missing.length);
      const block = state.leaves.pointers(leaf)?.leaf.block;
      if (block === undefined) continue;
      stored.set(leaf, { block, words: await state.leaves.readStored(leaf) });
    }
  }
  return new Audit(state, stored).run();
}

function absentLeaves(state: PoolState, stored: StoredLeaves): number[] {
  const { leaves } = state;
  const absent: number[] = [];
  for (let leaf = 1; leaf < leaves.end; leaf += 1) {
    if (!leaves.exists(leaf) || leaves.isResident(leaf)) continue;
    if (stored.get(leaf)?.block !== leaves.pointers(leaf)?.leaf.block) absent.push(leaf);
  }
  return absent;
}

class Audit {
  readonly #state: PoolState;
  readonly #stored: StoredLeaves;
  readonly #findings: string[] = [];
  /** References found, by extent: from entries and bases, and from drops that are pending. */
  readonly #found: Uint32Array;
  /** Entries of each leaf; undefined: not known. */
  readonly #mapped = new Map<number, number>();
  #isComplete = true;

  constructor(state: PoolState, stored: StoredLeaves) {
    this.#state = state;
    this.#stored = stored;
    this.#found = new Uint32Array(state.addresses.extentCount);
  }

  run(): string[] {
    const { leaves } = this.#state;
    for (let leaf = 1; leaf < leaves.end; leaf += 1) if (leaves.exists(leaf)) this.#walk(leaf);
    this.#checkLeafReferences();
    this.#checkExtents();
    this.#checkVolumes();
    return this.#findings;
  }

  #find(finding: string): void {
    if (this.#findings.length < FINDINGS_MAX) this.#findings.push(finding);
  }

  #walk(leaf: number): void {
    const { leaves } = this.#state;
    const words = leaves.isResident(leaf) ? null : this.#stored.get(leaf)?.words;
    if (words === undefined) {
      this.#isComplete = false;
      return;
    }
    let mapped = 0;
    let partials = 0;
    for (let slot = 0; slot < LEAF_ENTRIES; slot += 1) {
      const entry = words === null ? leaves.entry(leaf, slot) : words.leaf[HEADER_WORDS + slot]!;
      if (entry === 0) continue;
      mapped += 1;
      this.#refer(leaf, physOf(entry));
      if (!isPartial(entry)) continue;
      partials += 1;
      const base =
        words === null ? leaves.base(leaf, slot) : (words.bases?.[HEADER_WORDS + slot] ?? 0) - 1;
      if (base !== NO_EXTENT) this.#refer(leaf, base);
    }
    this.#mapped.set(leaf, mapped);
    if (mapped !== leaves.mapped(leaf)) {
      this.#find(`leaf ${leaf} maps ${mapped} extents and counts ${leaves.mapped(leaf)}`);
    }
    if (partials !== leaves.partials(leaf)) {
      this.#find(
        `leaf ${leaf} has ${partials} PARTIAL entries and counts ${leaves.partials(leaf)}`,
      );
    }
  }

  #refer(leaf: number, phys: number): void {
    if (this.#state.addresses.isMappable(phys, 1)) this.#found[phys]! += 1;
    else this.#find(`leaf ${leaf} maps extent ${phys}, which the pool does not have`);
  }

  #checkLeafReferences(): void {
    const { leaves, space, volumes } = this.#state;
    const found = new Uint32Array(leaves.end);
    for (const { id, map } of volumes.values()) {
      for (const leaf of map.leafIds) {
        if (leaf === NO_LEAF) continue;
        if (leaves.exists(leaf)) found[leaf]! += 1;
        else this.#find(`volume ${id} has leaf ${leaf}, which is not there`);
      }
    }
    space.forEachPendingDrop((item, isLeaf) => {
      if (isLeaf) found[item]! += 1;
      else this.#found[item]! += 1;
    });
    for (let leaf = 1; leaf < leaves.end; leaf += 1) {
      if (!leaves.exists(leaf) || leaves.references(leaf) === found[leaf]) continue;
      this.#find(
        `leaf ${leaf} counts ${leaves.references(leaf)} references and has ${found[leaf]}`,
      );
    }
  }

  #checkExtents(): void {
    const { addresses, space } = this.#state;
    let free = 0;
    let punching = 0;
    let metadata = 0;
    for (let phys = 0; phys < addresses.extentCount; phys += 1) {
      const references = space.references(phys);
      const found = this.#found[phys]!;
      const isRight = this.#isComplete ? references === found : references >= found;
      if (!isRight) this.#find(`extent ${phys} counts ${references} references and has ${found}`);
      const extentState = space.stateOf(phys);
      if (extentState === "free") free += 1;
      if (extentState === "punching") punching += 1;
      if (extentState === "metadata") metadata += 1;
      if (extentState !== "data" && found > 0)
        this.#find(`extent ${phys} is ${extentState} and mapped`);
      if ((extentState === "free") !== space.isAllocatable(phys)) {
        this.#find(`extent ${phys} is ${extentState}, and the allocator has it differently`);
      }
      if ((extentState === "metadata") !== space.metadata.isMetadata(phys)) {
        this.#find(`extent ${phys} is ${extentState}, and the metadata has it differently`);
      }
    }
    this.#compare("allocatable extents", space.allocatableExtents, free);
    this.#compare("extents being punched", space.punchingExtents, punching);
    this.#compare("extents of metadata", space.metadataExtents, metadata);
    const sum =
      space.freeExtents + space.metadataExtents + space.punchingExtents + space.dataExtents;
    this.#compare("extents of all kinds", sum, space.totalExtents);
  }

  #checkVolumes(): void {
    const { leaves, space, volumes } = this.#state;
    let outstanding = 0;
    for (const { id, map, mappedExtents, outstandingExtents } of volumes.values()) {
      let mapped = 0;
      for (const leaf of map.leafIds) {
        if (leaf !== NO_LEAF) mapped += this.#mapped.get(leaf) ?? leaves.mapped(leaf);
      }
      this.#compare(`mapped extents of volume ${id}`, mappedExtents, mapped);
      outstanding += outstandingExtents;
    }
    this.#compare("outstanding reservations", space.reservedOutstandingExtents, outstanding);
  }

  #compare(what: string, counted: number, found: number): void {
    if (counted !== found) this.#find(`${what}: counted ${counted}, found ${found}`);
  }
}
