import type { ThinVolume } from "../../thin/io/thin-volume.ts";
import { PoolError } from "../../thin/pool-error.ts";
import type { Pool } from "../../thin/pool/pool.ts";
import { SpecReader } from "../spec.ts";
import {
  type DriverCapabilities,
  type VolumeDriver,
  VolumeError,
  type VolumeSpec,
} from "../volume-driver.ts";
import type { Volume } from "../volume.ts";
import { EngineVolume } from "./engine-volume.ts";

/** A pool that is open. */
export interface EnginePool {
  readonly pool: Pool;
  /** Whether a device of it is. */
  readonly rotational: boolean;
}

/** Finds an open pool by the name that specifications use; undefined where there is none. */
export type FindPool = (name: string) => EnginePool | undefined;

const OPTIONS = ["pool", "reserve", "quota"] as const;

/**
 * Thin volumes, snapshots and clones of the engine's pools, by name. A volume keeps the UUID that it was made with, whatever
 * the specification says later.
 *
 * Options: `pool`, the name of one that is open; `reserve`, space that is kept for it, and `quota`, the most that it may map, both in
 * bytes, taken up each time that it is opened.
 */
export class EngineDriver implements VolumeDriver {
  readonly kind = "engine";
  readonly capabilities: DriverCapabilities = {
    create: true,
    delete: true,
    resize: true,
    snapshot: true,
    rollback: true,
  };
  readonly #findPool: FindPool;
  readonly #open = new Set<ThinVolume>();
  readonly #volumes = new WeakSet<Volume>();

  constructor(findPool: FindPool) {
    this.#findPool = findPool;
  }

  async create(spec: VolumeSpec): Promise<void> {
    const reader = new SpecReader(spec, OPTIONS);
    const sizeBytes = reader.requiredSize();
    const { pool } = this.#poolOf(spec, reader);
    const { name, uuid } = spec;
    const promises = promisesOf(spec, reader);
    await inTermsOf(name, () => pool.createVolume({ name, uuid, sizeBytes, ...promises }));
  }

  async open(spec: VolumeSpec): Promise<Volume> {
    const reader = new SpecReader(spec, OPTIONS);
    const { pool, rotational } = this.#poolOf(spec, reader);
    const promises = promisesOf(spec, reader);
    return inTermsOf(spec.name, async () => {
      const thin = pool.volume(spec.name);
      if (this.#open.has(thin)) throw new PoolError("busy", "it is open");
      this.#open.add(thin);
      const { name } = thin.attributes;
      try {
        await keepPromises(pool, thin, promises);
        if (thin.attributes.name !== name) throw new PoolError("busy", "it was renamed");
        const onClosed = (): void => void this.#open.delete(thin);
        const readOnly = spec.readOnly === true;
        const volume = new EngineVolume({ pool, thin, readOnly, rotational, onClosed });
        this.#volumes.add(volume);
        return volume;
      } catch (error) {
        this.#open.delete(thin);
        throw error;
      }
    });
  }

  async resize(volume: Volume, sizeBytes: number, consentToShrink: boolean): Promise<void> {
    if (!(volume instanceof EngineVolume) || !this.#volumes.has(volume)) {
      throw new VolumeError("invalid", `volume ${volume.name}: it is not one of this driver's`);
    }
    const { pool, thin } = volume;
    await inTermsOf(volume.name, () => pool.resize(thin, sizeBytes, consentToShrink));
  }

  async delete(spec: VolumeSpec): Promise<void> {
    const { pool } = this.#poolOf(spec, new SpecReader(spec, OPTIONS));
    await inTermsOf(spec.name, () => pool.delete(pool.volume(spec.name)));
  }

  #poolOf(spec: VolumeSpec, reader: SpecReader): EnginePool {
    const name = reader.text("pool");
    const found = this.#findPool(name);
    if (found !== undefined) return found;
    // Not "missing": the volume may be there, and must not be made elsewhere or anew.
    throw new VolumeError("invalid", `volume ${spec.name}: the pool ${name} is not open`);
  }
}

interface Promises {
  readonly reservedBytes?: number;
  readonly quotaBytes?: number;
}

/** What is not said is left as it is. */
function promisesOf(spec: VolumeSpec, reader: SpecReader): Promises {
  const has = (key: string): boolean => spec.options[key] !== undefined;
  return {
    ...(has("reserve") ? { reservedBytes: reader.naturalNumber("reserve") } : {}),
    ...(has("quota") ? { quotaBytes: reader.naturalNumber("quota") } : {}),
  };
}

async function keepPromises(pool: Pool, thin: ThinVolume, promises: Promises): Promise<void> {
  const { reservedBytes, quotaBytes } = { ...thin.attributes, ...promises };
  const { attributes } = thin;
  if (reservedBytes === attributes.reservedBytes && quotaBytes === attributes.quotaBytes) return;
  await pool.setAttributes(thin, { reservedBytes, quotaBytes });
}

/** What an error of a pool means to whoever wanted a volume. */
function kindOf(error: PoolError): VolumeError["kind"] {
  if (error.kind === "corrupt" || error.kind === "failed") return "io";
  return error.kind;
}

async function inTermsOf<T>(volumeName: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    if (!(error instanceof PoolError)) throw error;
    throw new VolumeError(kindOf(error), `volume ${volumeName}: ${error.message}`, error);
  }
}
