import type { Ending } from "./oracle.ts";
import { Violation } from "./violation.ts";

/** What a volume has beside its content. Bytes. */
export interface Label {
  readonly name: string;
  readonly reservedBytes: number;
  readonly quotaBytes: number;
}

/** A change that is on its way. */
export interface LabelChange {
  readonly volume: number;
  readonly label: Partial<Label>;
}

/** What the operators know of the volumes' labels: a change of one part leaves the others as they are. */
export class Labels {
  readonly #known: Map<number, Label> = new Map();

  set(volume: number, label: Label): void {
    this.#known.set(volume, label);
  }

  change({ volume, label }: LabelChange): void {
    const known = this.#known.get(volume);
    if (known !== undefined) this.#known.set(volume, { ...known, ...label });
  }

  delete(volume: number): void {
    this.#known.delete(volume);
  }

  /** Each volume has what it was given; after a crash perhaps what was about to be. */
  check(found: ReadonlyMap<number, Label>, pending: readonly LabelChange[], ending: Ending): void {
    for (const [volume, label] of found) {
      const known = this.#known.get(volume) ?? label;
      const changes = pending.filter((change) => change.volume === volume);
      const possible = [known, ...changes.map((change) => ({ ...known, ...change.label }))];
      if (!possible.some((each) => isSame(each, label))) {
        throw new Violation(
          `volume ${volume} has ${JSON.stringify(label)} instead of ${JSON.stringify(known)}`,
        );
      }
      if (ending !== "live") this.#known.set(volume, label);
    }
  }
}

function isSame(a: Label, b: Label): boolean {
  return a.name === b.name && a.reservedBytes === b.reservedBytes && a.quotaBytes === b.quotaBytes;
}
