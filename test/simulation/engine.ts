import { formatPool } from "../../src/thin/checkpoint/format-pool.ts";
import type { OwnerIdentity } from "../../src/thin/checkpoint/owner.ts";
import { Pool } from "../../src/thin/pool/pool.ts";
import type { Log } from "../../src/util/log.ts";
import { SeededRandom } from "../../src/util/random.ts";
import type { Driver } from "./driver.ts";
import { firstVolumes, newMachine, newMedia, POOL_UUID, uuidOf } from "./driver.ts";
import type { Machine } from "./machine.ts";
import type { Media } from "./media.ts";
import type { Profile } from "./profiles.ts";
import { moveMarksBy } from "./virgin-steps.ts";

/** The one place that knows how the engine is made and opened. */

const HOST_UUID = "11111111-2222-4333-8444-555555555555";
const sound = { bootIdOf: (boot: number, _nonce: number): number => boot, isFailureKept: true };

/** What the engine is told of the machine; mutations tell it lies. */
export const identity = { ...sound };

export function mendIdentity(): void {
  Object.assign(identity, sound);
}

function ownerOf(machine: Machine): OwnerIdentity {
  const nonce = machine.random.below(2 ** 32);
  return {
    hostId: HOST_UUID,
    bootId: `22222222-2222-4222-8222-${identity.bootIdOf(machine.boot, nonce).toString(16).padStart(12, "0")}`,
    nonce: `33333333-3333-4333-8333-${nonce.toString(16).padStart(12, "0")}`,
    pid: 4242,
    openedAtSeconds: 1_700_000_000,
  };
}

/** Says nothing, and hears what an opening says of itself. */
function logOf(machine: Machine): Log {
  const ignore = (): void => undefined;
  const log: Log = {
    trace: ignore,
    debug: ignore,
    info: ({ fellBack }) => {
      if (typeof fellBack === "boolean") machine.hasFallenBack = fellBack;
    },
    warn: ignore,
    error: ignore,
    fatal: ignore,
    isLevelEnabled: () => true,
    child: () => log,
  };
  return log;
}

/** Opens the pool on the machine's disks, in any order. */
export async function openPool(machine: Machine, profile: Profile): Promise<Pool> {
  machine.isOpening = true;
  try {
    return await open(machine, profile);
  } finally {
    machine.isOpening = false;
  }
}

function open(machine: Machine, profile: Profile): Promise<Pool> {
  moveMarksBy(profile.virginSteps);
  const left = [...machine.disks];
  const devices = machine.disks.flatMap(() => left.splice(machine.random.below(left.length), 1));
  return Pool.open({
    devices,
    owner: ownerOf(machine),
    clock: machine.scheduler.clockOf(machine.life),
    log: logOf(machine),
    failureMark: {
      isSet: (poolUuid) => Promise.resolve(identity.isFailureKept && machine.marks.has(poolUuid)),
      set: (poolUuid) => void machine.marks.add(poolUuid),
    },
    settings: {
      leafMemoryBytesMax: profile.leafMemoryBytesMax,
      holdMs: 200,
      fullRetryMs: 1000,
      thresholds: [],
      growth: null,
    },
  });
}

const formatted = new Map<Profile, Media[]>();

/** Disks with an empty pool and the first volumes on them, cleanly closed. Made once for each profile. */
export async function formattedMedia(profile: Profile): Promise<Media[]> {
  let made = formatted.get(profile);
  if (made === undefined) {
    made = Array.from({ length: profile.devices }, () => newMedia(profile, profile.isZero));
    await format(made, profile);
    formatted.set(profile, made);
  }
  return made.map((media) => media.clone());
}

/** Makes an empty pool on the machine's disks. */
export function makePool(machine: Machine, profile: Profile): Promise<void> {
  const random = new SeededRandom(2);
  return formatPool(
    machine.disks.map((device) => ({ device, isZero: profile.isZero })),
    {
      uuid: POOL_UUID,
      extentBytes: profile.extentBytes,
      journalBytes: profile.journalBytes,
      settings: { name: "simulation", overcommitMax: 0, thresholds: [] },
      randomBytes: (lengthBytes) => random.bytes(lengthBytes),
      owner: ownerOf(machine),
    },
  );
}

async function format(media: Media[], profile: Profile): Promise<void> {
  const machine = newMachine(media, 1, profile);
  await machine.run(makePool(machine, profile));
  const opened = await machine.run(openPool(machine, profile));
  if (opened === "dead") throw new Error("nothing kills it");
  for (const { volume, sizeBytes } of firstVolumes(profile)) {
    await machine.run(
      opened.value.createVolume({ name: `v${volume}`, uuid: uuidOf(volume), sizeBytes }),
    );
  }
  await machine.run(opened.value.close());
  machine.crash("reboot");
}

export const engineDriver: Driver = { media: formattedMedia, open: openPool };
