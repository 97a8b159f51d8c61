import { assert } from "../../../src/util/assert.ts";
import type { SeededRandom } from "../../../src/util/random.ts";
import type { VolumeModel } from "./volume-model.ts";

/** The volumes of a pool as the supervisor knows them. */
export class Fleet {
  readonly #models = new Map<string, VolumeModel>();
  readonly #random: SeededRandom;

  constructor(random: SeededRandom) {
    this.#random = random;
  }

  get size(): number {
    return this.#models.size;
  }

  all(): VolumeModel[] {
    return [...this.#models.values()];
  }

  find(name: string): VolumeModel | undefined {
    return this.#models.get(name);
  }

  get(name: string): VolumeModel {
    const model = this.#models.get(name);
    assert(model !== undefined, "the volume is known");
    return model;
  }

  add(model: VolumeModel): void {
    assert(!this.#models.has(model.name), "names are given once");
    this.#models.set(model.name, model);
  }

  remove(model: VolumeModel): void {
    this.#models.delete(model.name);
  }

  /** One that fits; undefined where none does. */
  pick(fits: (model: VolumeModel) => boolean): VolumeModel | undefined {
    const fitting = this.all().filter(fits);
    return fitting.length === 0 ? undefined : this.#random.pick(fitting);
  }
}
