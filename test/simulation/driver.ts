import { HEAD_BYTES, TAIL_BYTES } from "../../src/thin/format/layout.ts";
import { looksLikePage } from "../../src/thin/format/page.ts";
import type { Pool } from "../../src/thin/pool/pool.ts";
import type { CrashKind } from "./history.ts";
import { Machine } from "./machine.ts";
import { Media, PAGE_BYTES } from "./media.ts";
import type { Profile } from "./profiles.ts";
import { tagSectors } from "./tags.ts";

export const POOL_UUID = "6a0b1c2d-3e4f-4a5b-8c6d-7e8f90a1b2c3";
/** Writes of the owner before: found in the pool, they would be somebody else's. */
const FOREIGN_VOLUME = 999_999;
const FIRST_VOLUMES = 2;

/** Volumes are numbered in the order in which they are made; the UUID says the number. */
export function uuidOf(volume: number): string {
  return `00000000-0000-4000-8000-${volume.toString(16).padStart(12, "0")}`;
}

export function numberOf(uuid: string): number {
  return Number.parseInt(uuid.slice(-12), 16);
}

/** Sizes of a history's first volumes, in bytes. */
export function firstVolumes(profile: Profile): { volume: number; sizeBytes: number }[] {
  return Array.from({ length: FIRST_VOLUMES }, (_, index) => ({
    volume: index + 1,
    sizeBytes: Math.ceil(profile.volumeExtents / 2) * profile.extentBytes,
  }));
}

export function newMachine(media: Media[], seed: number, profile: Profile): Machine {
  return new Machine(media, seed, {
    discardZeroes: profile.discardZeroes,
    copiesOnWrite: profile.copiesOnWrite,
    isJournal: (at) => at >= HEAD_BYTES && at < HEAD_BYTES + profile.journalBytes,
    isPage: (disk, at, data) =>
      at >= HEAD_BYTES && at < disk.capacityBytes - TAIL_BYTES && looksLikePage(data, 0),
    isMetadata: (disk, at, data) =>
      at < HEAD_BYTES + (disk === media[0] ? profile.journalBytes : 0) ||
      at >= disk.capacityBytes - TAIL_BYTES ||
      (data.length >= PAGE_BYTES && looksLikePage(data, 0)),
  });
}

/** A disk for the pool; a used one is full of what its owner before wrote. */
export function newMedia(profile: Profile, isZero: boolean): Media {
  const media = new Media(profile.deviceBytes, profile.atomicBytes);
  if (isZero) return media;
  const foreign = tagSectors(FOREIGN_VOLUME, 0, PAGE_BYTES / 512, FOREIGN_VOLUME);
  for (let at = HEAD_BYTES; at < profile.deviceBytes; at += PAGE_BYTES) {
    media.corrupt(at / PAGE_BYTES, (content) => void foreign.copy(content));
  }
  return media;
}

/** What is put to the test: the engine, or what stands in for it to test the simulation. */
export interface Driver {
  media(profile: Profile): Promise<Media[]>;
  open(machine: Machine, profile: Profile): Promise<Pool>;
  crashed?(machine: Machine, kind: CrashKind): void;
}
