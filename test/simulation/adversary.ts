import type { ThinVolume } from "../../src/thin/io/thin-volume.ts";
import { PoolError } from "../../src/thin/pool-error.ts";
import type { Pool } from "../../src/thin/pool/pool.ts";
import { assert } from "../../src/util/assert.ts";
import { IoError } from "../../src/util/io-error.ts";
import { readBytes } from "../../src/util/io-request.ts";
import { SeededRandom } from "../../src/util/random.ts";
import { trapDefects } from "./defects.ts";
import { firstVolumes, newMachine, numberOf } from "./driver.ts";
import { engineDriver } from "./engine.ts";
import type { Operation, OperationKind } from "./history.ts";
import type { Machine } from "./machine.ts";
import { asViolation } from "./machine.ts";
import type { Media } from "./media.ts";
import { PAGE_BYTES, SECTOR_BYTES } from "./media.ts";
import { Oracle } from "./oracle.ts";
import type { Profile } from "./profiles.ts";
import { profileNamed } from "./profiles.ts";
import { Clients } from "./requests.ts";
import { GARBAGE, readTags } from "./tags.ts";
import { Violation } from "./violation.ts";

/** What became of a pool that was tampered with. */
export type Verdict =
  /** It is what it was. */
  | "exact"
  /** It does not open, and says so. */
  | "refused"
  /** It opens, and what is damaged cannot be read, and says so. */
  | "unreadable"
  /** It opens as what it was some operations earlier. */
  | "earlier";

/** A page of metadata of the pool at rest. */
export interface Target {
  readonly device: number;
  readonly page: number;
  readonly part: "superblock" | "journal" | "tree";
}

type Content = ReadonlyMap<number, readonly number[]>;

const PROFILE: Profile = { ...profileNamed("several"), volumeExtents: 8 };

const OPERATIONS: readonly OperationKind[] = [
  "write",
  "write",
  "snapshot",
  "write",
  "unmap",
  "checkpoint",
  "write",
  "group",
  "write",
  "flush",
  "checkpoint",
  "write",
  "write",
  "writeZeroes",
  "clone",
  "write",
  "resize",
  "write",
];

/** A pool whose process was killed in the middle of its life, and everything that can be done to its metadata. */
export class Adversary {
  readonly #media: Media[];
  readonly #content: Content;
  /** Every value that a sector of a volume, or of its ancestors, ever had. */
  readonly #ever: Map<number, Map<number, Set<number>>>;
  /** The disks as they were some operations earlier. */
  readonly earlier: readonly Media[];
  readonly targets: readonly Target[];

  private constructor(
    media: Media[],
    content: Content,
    ever: Map<number, Map<number, Set<number>>>,
    earlier: readonly Media[],
  ) {
    this.#media = media;
    this.#content = content;
    this.#ever = ever;
    this.earlier = earlier;
    this.targets = targetsOf(media);
  }

  static async make(seed: number): Promise<Adversary> {
    const machine = newMachine(await engineDriver.media(PROFILE), seed, PROFILE);
    machine.reseed(seed);
    const pool = await machine.run(engineDriver.open(machine, PROFILE));
    assert(pool !== "dead", "nothing kills it");
    const oracle = new Oracle();
    for (const { volume, sizeBytes } of firstVolumes(PROFILE)) {
      const sectors = sizeBytes / SECTOR_BYTES;
      oracle.acknowledgeManagement({ kind: "create", volume, sectors });
    }
    const numbers = { lastVolume: firstVolumes(PROFILE).length, lastSerial: 0 };
    const clients = new Clients(machine, oracle, pool.value, PROFILE, numbers);
    const random = new SeededRandom(seed);
    const ever = new Map<number, Map<number, Set<number>>>();
    let earlier: Media[] = [];
    for (const [index, kind] of OPERATIONS.entries()) {
      await machine.run(clients.run(operationOf(random, kind)));
      note(ever, await contentOf(machine, pool.value));
      if (index === OPERATIONS.length >> 1) earlier = machine.media.map((media) => media.clone());
    }
    const content = await contentOf(machine, pool.value);
    machine.crash("kill");
    return new Adversary(machine.media, content, ever, earlier);
  }

  /** The disks as they are, for somebody to tamper with. */
  copy(): Media[] {
    return this.#media.map((media) => media.clone());
  }

  /** Opens the pool, reads all of it, and judges. Throws a Violation for foreign data and for what should never be thrown. */
  async judge(media: Media[]): Promise<Verdict> {
    const machine = newMachine(media, 1, PROFILE);
    machine.reseed(1);
    const release = trapDefects((error) => (machine.defect ??= error));
    try {
      const pool = await machine.run(engineDriver.open(machine, PROFILE));
      assert(pool !== "dead", "nothing kills it");
      return this.#compare(await contentOf(machine, pool.value));
    } catch (error) {
      if (error instanceof PoolError) return "refused";
      if (error instanceof IoError) return "unreadable";
      throw asViolation(error);
    } finally {
      machine.life.isDead = true;
      release();
    }
  }

  #compare(content: Content): Verdict {
    let isExact = content.size === this.#content.size;
    for (const [volume, values] of content) {
      const expected = this.#content.get(volume);
      isExact &&= expected?.length === values.length;
      for (const [sector, value] of values.entries()) {
        if (value === expected?.[sector]) continue;
        isExact = false;
        const ever = this.#ever.get(volume)?.get(sector);
        if (value !== 0 && ever?.has(value) !== true) {
          const what = value === GARBAGE ? "garbage" : `write #${value}`;
          throw new Violation(`volume ${volume} sector ${sector} shows foreign data: ${what}`);
        }
      }
    }
    return isExact ? "exact" : "earlier";
  }
}

function operationOf(random: SeededRandom, kind: OperationKind): Operation {
  const draw = (): number => random.uint32();
  return {
    kind,
    delayMs: 0,
    volume: draw(),
    other: draw(),
    place: draw(),
    length: draw(),
    choice: draw(),
  };
}

function note(ever: Map<number, Map<number, Set<number>>>, content: Content): void {
  for (const [volume, values] of content) {
    const sectors = ever.get(volume) ?? new Map<number, Set<number>>();
    ever.set(volume, sectors);
    for (const [sector, value] of values.entries()) {
      const all = sectors.get(sector) ?? new Set<number>();
      sectors.set(sector, all.add(value));
    }
  }
}

async function contentOf(machine: Machine, pool: Pool): Promise<Content> {
  const content = new Map<number, number[]>();
  for (const volume of pool.volumes()) {
    content.set(numberOf(volume.attributes.uuid), await valuesOf(machine, volume));
  }
  return content;
}

async function valuesOf(machine: Machine, volume: ThinVolume): Promise<number[]> {
  const bytes = await machine.run(readBytes(volume, 0, volume.capacityBytes));
  assert(bytes !== "dead", "nothing kills it");
  return readTags(bytes.value).map(({ serial }) => serial);
}

/** All pages of metadata that hold something. */
function targetsOf(media: readonly Media[]): Target[] {
  const targets: Target[] = [];
  const { options } = newMachine([...media], 1, PROFILE);
  for (const [device, disk] of media.entries()) {
    for (const page of disk.pages()) {
      const content = disk.page(page);
      const at = page * PAGE_BYTES;
      if (!options.isMetadata(disk, at, content) || content.every((byte) => byte === 0)) continue;
      const isLabel = at < 8 * 1024 * 1024 || at >= disk.capacityBytes - 2 * 1024 * 1024;
      const inJournal = device === 0 && options.isJournal(at);
      targets.push({ device, page, part: isLabel ? "superblock" : inJournal ? "journal" : "tree" });
    }
  }
  return targets;
}
