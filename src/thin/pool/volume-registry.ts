import { assert } from "../../util/assert.ts";
import type { Engine } from "../io/engine.ts";
import { ThinVolume } from "../io/thin-volume.ts";
import { PoolError } from "../pool-error.ts";

interface Member {
  readonly volume: ThinVolume;
  uses: number;
  isBeingRenamed: boolean;
}

/** The volumes of an open pool, and who uses them. One object stands for a volume for as long as the pool is open. */
export class VolumeRegistry {
  readonly #engine: Engine;
  /** By id, ascending: ids only grow. */
  readonly #members: Map<number, Member> = new Map();

  constructor(engine: Engine) {
    this.#engine = engine;
    for (const id of [...engine.state.volumes.keys()].toSorted((a, b) => a - b)) this.add(id);
  }

  /** Makes the object of a volume that the pool's state has. */
  add(id: number): ThinVolume {
    const state = this.#engine.state.volumes.get(id);
    assert(
      state !== undefined && !this.#members.has(id),
      "a volume is added once, when it is there",
    );
    const volume = new ThinVolume(this.#engine, state);
    this.#members.set(id, { volume, uses: 0, isBeingRenamed: false });
    return volume;
  }

  remove(volume: ThinVolume): void {
    const wasThere = this.#members.delete(volume.attributes.id);
    assert(wasThere, "a volume is removed once");
  }

  all(): ThinVolume[] {
    return Array.from(this.#members.values(), ({ volume }) => volume);
  }

  find(nameOrUuid: string): ThinVolume | null {
    for (const { volume } of this.#members.values()) {
      const { name, uuid } = volume.attributes;
      if (name === nameOrUuid || uuid === nameOrUuid) return volume;
    }
    return null;
  }

  /** Errors: missing, where the volume was deleted or is another pool's. */
  mustHave(volume: ThinVolume): void {
    if (this.#members.get(volume.attributes.id)?.volume !== volume) {
      throw new PoolError("missing", `volume ${volume.attributes.name} is not there any more`);
    }
  }

  uses(volume: ThinVolume): number {
    return this.#members.get(volume.attributes.id)?.uses ?? 0;
  }

  /** Counts a use until the function that it returns is called. Errors: busy, missing. */
  use(volume: ThinVolume): () => void {
    const member = this.#memberOf(volume);
    if (member.isBeingRenamed) {
      const { name } = volume.attributes;
      throw new PoolError("busy", `volume ${name} is being renamed: try again`);
    }
    member.uses += 1;
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      member.uses -= 1;
    };
  }

  /**
   * Nobody takes the volume into use until the function that it returns is called: it would be used under a name that it does not have
   * any more. Errors: busy, where somebody does, unless `whileUsed`: whoever uses it learns of the name; missing.
   */
  beginRename(volume: ThinVolume, whileUsed: boolean = false): () => void {
    const member = this.#memberOf(volume);
    if (member.uses > 0 && !whileUsed) {
      const { name } = volume.attributes;
      throw new PoolError("busy", `volume ${name} is in use under this name`);
    }
    member.isBeingRenamed = true;
    return () => {
      member.isBeingRenamed = false;
    };
  }

  #memberOf(volume: ThinVolume): Member {
    this.mustHave(volume);
    const member = this.#members.get(volume.attributes.id);
    assert(member !== undefined, "a volume that is there has a member");
    return member;
  }
}
