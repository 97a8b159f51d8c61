import { assert } from "../../util/assert.ts";
import type { PagePointer } from "../format/pointer.ts";
import type { CapturedNode } from "./captured-node.ts";

/** Called with a place that a page has no more; `isCurrent`: the newest generation refers to it. */
export type Retire = (pointer: PagePointer, isCurrent: boolean) => void;

/** A node of a volume's tree; volumes that are copies of each other share it. Its content follows from what is below it. */
export class TreeNode {
  references = 0;
  /** Where it was written last; null where it never was. */
  place: PagePointer | null;
  isDirty: boolean;
  /** The capture in flight that it is in. */
  capture: CapturedNode | null = null;

  constructor(place: PagePointer | null) {
    this.place = place;
    this.isDirty = place === null;
  }

  /** Takes a reference away; the last one gives up its place. */
  drop(retire: Retire): void {
    assert(this.references > 0, "a node loses no reference that it does not have");
    this.references -= 1;
    if (this.references === 0 && this.place !== null) retire(this.place, true);
  }
}
