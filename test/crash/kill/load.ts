import { setTimeout as sleep } from "node:timers/promises";
import { InitiatorError } from "../../../src/initiator/initiator-error.ts";
import { read, synchronizeCache, unmap, write } from "../../../src/initiator/scsi.ts";
import type { Sense } from "../../../src/initiator/sense.ts";
import type { InitiatorSession } from "../../../src/initiator/session.ts";
import type { SeededRandom } from "../../../src/util/random.ts";
import { readTags, tagSectors } from "../../simulation/tags.ts";
import { Change } from "./change.ts";
import { wrongSector } from "./verify.ts";
import type { VolumeModel } from "./volume-model.ts";
import type { Windows } from "./windows.ts";

const SECTOR_BYTES = 512;
const IN_FLIGHT = 8;
const ATTEMPTS = 20;

/** NOT READY, SPACE ALLOCATION IN PROGRESS. */
function isSpacePending(sense: Sense | undefined): boolean {
  if (sense === undefined) return false;
  const { key, additionalSenseCode, additionalSenseCodeQualifier } = sense;
  return key === 2 && additionalSenseCode === 0x04 && additionalSenseCodeQualifier === 0x14;
}

/** Commands that succeeded, and those that were told to try again because there was no space. */
export interface LoadCounts {
  writes: number;
  unmaps: number;
  flushes: number;
  reads: number;
  spacePending: number;
}

/** Counters that all loads of a run share. */
export interface LoadContext {
  readonly random: SeededRandom;
  readonly windows: Windows;
  readonly extentSectors: number;
  /** Moves on with each event, so that what came before what can be told. */
  tick(): number;
  nextSerial(): number;
  /** An answer that must not be. */
  complain(complaint: string): void;
  readonly counts: LoadCounts;
}

interface Range {
  readonly slot: number;
  readonly lba: number;
  readonly count: number;
}

/** Commands of one initiator on one volume: several on their way, none of them over another, until the session ends. */
export class Load {
  readonly #context: LoadContext;
  readonly #session: InitiatorSession;
  readonly #volume: () => VolumeModel | undefined;
  #isStopped = false;

  /** `volume` is asked before each command. */
  constructor(
    context: LoadContext,
    session: InitiatorSession,
    volume: () => VolumeModel | undefined,
  ) {
    this.#context = context;
    this.#session = session;
    this.#volume = volume;
  }

  stop(): void {
    this.#isStopped = true;
  }

  /** Resolves when nothing is on its way any more: after `stop`, or the end of the session. */
  async run(): Promise<void> {
    await Promise.all(Array.from({ length: IN_FLIGHT }, () => this.#work()));
  }

  async #work(): Promise<void> {
    while (!this.#isStopped && this.#session.closed === null) {
      const volume = this.#volume();
      if (volume === undefined) {
        await sleep(1);
        continue;
      }
      volume.commands += 1;
      try {
        await this.#command(volume);
      } catch (error) {
        this.#failed(error, volume);
      } finally {
        volume.commands -= 1;
      }
    }
  }

  #failed(error: unknown, { name }: VolumeModel): void {
    if (!(error instanceof InitiatorError)) throw error;
    if (error.kind === "closed" || error.kind === "connect") return;
    const { sense } = error.context;
    if (isSpacePending(sense)) {
      // There is no space for the moment: an initiator tries again, here with another command.
      this.#context.counts.spacePending += 1;
      return;
    }
    this.#context.complain(`volume ${name}: ${error.message}`);
  }

  async #command(volume: VolumeModel): Promise<void> {
    const { random, counts } = this.#context;
    const kind = random.below(100);
    if (kind < 5) {
      await synchronizeCache(this.#session, volume.lun);
      counts.flushes += 1;
      return;
    }
    const range = this.#range(volume, kind < 15);
    if (range === null) await sleep(1);
    else if (kind < 15) await this.#unmap(volume, range);
    else if (kind < 25) await this.#read(volume, range);
    else await this.#write(volume, range, kind);
  }

  async #write(volume: VolumeModel, range: Range, kind: number): Promise<void> {
    const { slot, lba, count } = range;
    const isZeros = kind < 28;
    const serial = isZeros ? 0 : this.#context.nextSerial();
    const data = isZeros
      ? Buffer.alloc(count * SECTOR_BYTES)
      : tagSectors(volume.tag, lba, count, serial);
    const change = new Change(serial, { slot, count }, this.#context.tick());
    const target = { lun: volume.lun, lba, blocks: count, blockBytes: SECTOR_BYTES };
    await this.#change(volume, change, () => write(this.#session, target, data, kind < 33));
    this.#context.counts.writes += 1;
  }

  async #unmap(volume: VolumeModel, range: Range): Promise<void> {
    const { slot, lba, count } = range;
    const { extentSectors } = this.#context;
    const wholeFrom = Math.ceil(lba / extentSectors) * extentSectors;
    const wholeTo = Math.floor((lba + count) / extentSectors) * extentSectors;
    // Only whole extents are sure to be unmapped.
    const isOptional = (at: number): boolean =>
      lba + at - slot < wholeFrom || lba + at - slot >= wholeTo;
    const change = new Change(0, { slot, count }, this.#context.tick(), isOptional);
    const target = { lun: volume.lun, lba, blocks: count };
    await this.#change(volume, change, () => unmap(this.#session, target));
    this.#context.counts.unmaps += 1;
  }

  async #change(volume: VolumeModel, change: Change, command: () => Promise<void>): Promise<void> {
    volume.begin(change);
    try {
      await command();
    } catch (error) {
      volume.unanswered(change);
      throw error;
    }
    change.answeredAt = this.#context.tick();
    volume.acknowledged(change);
  }

  /** Reads while others write: what it reads nobody changes meanwhile. */
  async #read(volume: VolumeModel, { slot, lba, count }: Range): Promise<void> {
    const { state, isInOperation } = volume;
    const place = { slot, count };
    volume.reads.add(place);
    let bytes: Uint8Array;
    try {
      const range = { lun: volume.lun, lba, blocks: count, blockBytes: SECTOR_BYTES };
      bytes = await read(this.#session, range);
    } finally {
      volume.reads.delete(place);
    }
    this.#context.counts.reads += 1;
    // Rolled back meanwhile, it may be either.
    if (volume.state !== state || isInOperation || volume.isInOperation) return;
    for (const [index, tag] of readTags(Buffer.from(bytes)).entries()) {
      const isHere = tag.serial === 0 || tag.lba === lba + index;
      if (isHere && volume.state.allows(slot + index, tag.serial)) continue;
      const wrong = wrongSector(volume.state, slot + index, lba + index, tag);
      this.#context.complain(`volume ${volume.name}, read while in use: ${wrong}`);
      return;
    }
  }

  /** A range that nobody uses; null where none was found. */
  #range(volume: VolumeModel, isLarge: boolean): Range | null {
    const { random, windows } = this.#context;
    const usable = windows
      .within(volume.state.capacitySectors)
      .filter(({ first }) => first < volume.slotsInUse);
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      const window = random.pick(usable);
      const count = Math.min(this.#count(isLarge), window.sectors);
      let at = random.below(window.sectors - count + 1);
      if (random.chance(0.7)) at -= at % 8;
      // Writers meet where much has been written.
      if (random.chance(0.5)) at = at % Math.max(1, Math.min(512, window.sectors - count + 1));
      const slot = window.first + at;
      if (!volume.isBusy(slot, count)) return { slot, lba: window.lba + at, count };
    }
    return null;
  }

  #count(isLarge: boolean): number {
    const { random, extentSectors } = this.#context;
    if (isLarge) return extentSectors * random.between(1, 4) + random.below(2) * 8;
    if (random.chance(0.5)) return 8;
    if (random.chance(0.6)) return random.between(1, 64);
    return random.between(1, 512);
  }
}
