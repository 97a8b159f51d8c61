import { describe, expect, it } from "vitest";
import { PoolError } from "../../src/thin/pool-error.ts";
import { trapDefects } from "./defects.ts";
import { newMachine, newMedia } from "./driver.ts";
import { engineDriver, makePool } from "./engine.ts";
import type { CrashKind } from "./history.ts";
import type { Machine } from "./machine.ts";
import { asViolation } from "./machine.ts";
import type { Media } from "./media.ts";
import type { Profile } from "./profiles.ts";
import { profileNamed } from "./profiles.ts";
import { breakage } from "./sim-disk.ts";

/** All kinds of crashes in every moment; otherwise they take turns. */
const isLong: boolean = process.env["THINLUN_SIMULATION_SECONDS"] !== undefined;

const CRASHES: readonly CrashKind[] = ["kill", "power", "power", "reboot"];
/** More moments than the making of a pool has. */
const FAR = 2 ** 30;
/** Some of them take what no flush has covered. */
const POWER_LOSSES = 12;
const PROFILES = ["several", "dirty"].map(profileNamed);

/** Lets a pool be made up to a moment, and then no further. */
async function cutOff(media: Media[], profile: Profile, after: number): Promise<Machine> {
  const machine = newMachine(media, after, profile);
  machine.reseed(after);
  machine.crashAfter(after);
  await machine.run(makePool(machine, profile));
  return machine;
}

/** How many volumes the pool has; null: there is none, or none that opens, and it says so. */
async function volumesOf(machine: Machine, profile: Profile): Promise<number | null> {
  machine.crashAfter(Number.POSITIVE_INFINITY);
  const release = trapDefects((error) => (machine.defect ??= error));
  try {
    const opened = await machine.run(engineDriver.open(machine, profile));
    if (opened === "dead") return null;
    const { value: pool } = opened;
    expect((await machine.run(pool.check())) !== "dead").toBe(true);
    const { dataBytes } = pool.usage();
    expect(dataBytes).toBe(0);
    const count = pool.volumes().length;
    await machine.run(pool.close());
    return count;
  } catch (error) {
    if (error instanceof PoolError) return null;
    throw asViolation(error);
  } finally {
    release();
  }
}

async function momentsOf(fresh: () => Media[], profile: Profile): Promise<number> {
  return (await cutOff(fresh(), profile, FAR)).moments;
}

describe.each(PROFILES)("a pool that is being made ($name)", (profile) => {
  const fresh = (): Media[] =>
    Array.from({ length: profile.devices }, () => newMedia(profile, profile.isZero));

  it("is none or an empty one, whenever it is cut off, and can be made anew", async () => {
    const moments = await momentsOf(fresh, profile);
    const seen = new Set<number | null>();
    for (let after = 0; after <= moments; after += 1) {
      for (const kind of isLong ? CRASHES : [CRASHES[after % CRASHES.length]!]) {
        const machine = await cutOff(fresh(), profile, after);
        machine.crash(kind);
        seen.add(await volumesOf(machine, profile));
        machine.crash("kill");
        await machine.run(makePool(machine, profile));
        machine.crash("power");
        expect(await volumesOf(machine, profile)).toBe(0);
      }
    }
    expect(seen).toEqual(new Set([null, 0]));
  });

  it("is lost where flushes do nothing", async () => {
    const seen = new Set<number | null>();
    breakage.flushNothing = true;
    try {
      for (let seed = FAR; seed < FAR + POWER_LOSSES; seed += 1) {
        const machine = await cutOff(fresh(), profile, seed);
        machine.crash("power");
        seen.add(await volumesOf(machine, profile));
      }
    } finally {
      breakage.flushNothing = false;
    }
    expect(seen).toContain(null);
  });
});
