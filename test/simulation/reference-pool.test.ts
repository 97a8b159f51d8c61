import { describe, expect, it } from "vitest";
import type { Driver } from "./driver.ts";
import { firstVolumes, newMedia, uuidOf } from "./driver.ts";
import { historyOf, inWords } from "./history.ts";
import type { Profile } from "./profiles.ts";
import { profileNamed } from "./profiles.ts";
import type { Flaw } from "./reference-pool.ts";
import { newMedium, ReferencePool, ReferenceStore } from "./reference-pool.ts";
import { runHistory } from "./walk.ts";

const HISTORIES = 40;
const HISTORIES_UNTIL_CAUGHT = 400;

const [SMALL, MANAGING] = [profileNamed("small"), profileNamed("managing")];

function driverWith(flaw: Flaw, fresh: Profile): Driver {
  const store = new ReferenceStore();
  for (const { volume, sizeBytes } of firstVolumes(fresh)) {
    const uuid = uuidOf(volume);
    const label = { name: `v${volume}`, reservedBytes: 0, quotaBytes: 0 };
    store.volumes.set(uuid, { uuid, sizeBytes, media: newMedium(), readOnly: false, label });
  }
  return {
    media: (profile) => Promise.resolve([newMedia(profile, true)]),
    open: (machine) => Promise.resolve(new ReferencePool(machine, store, flaw).asPool()),
    crashed: (machine, kind) => store.crash(machine, kind),
  };
}

async function firstViolation(
  flaw: Flaw,
  profile: Profile,
  histories: number,
): Promise<string | undefined> {
  for (let seed = 1; seed <= histories; seed += 1) {
    const history = historyOf(seed, profile);
    const { violation } = await runHistory(history, driverWith(flaw, profile));
    if (violation !== undefined) return `seed ${seed}: ${violation}\n${inWords(history)}`;
  }
  return undefined;
}

describe("the oracle", () => {
  it.each([SMALL, MANAGING])(
    "asks for nothing that a pool cannot promise: $name",
    async (profile) => {
      expect(await firstViolation("none", profile, HISTORIES)).toBeUndefined();
    },
  );

  const flaws: Record<Exclude<Flaw, "none">, [profile: Profile, expected: RegExp]> = {
    "early-acknowledgement": [SMALL, /reads|garbage/],
    "late-write": [SMALL, /reads/],
    "wrong-place": [SMALL, /foreign data/],
    "flush-nothing": [SMALL, /after a power loss/],
    "group-in-parts": [MANAGING, /a part of a consistency group/],
    "group-not-gated": [MANAGING, /different instants|a part of|reads/],
    "rollback-in-parts": [MANAGING, /reads|foreign/],
    "shrink-keeps": [MANAGING, /reads|foreign/],
    "forgets-delete": [MANAGING, /is deleted/],
    "changes-at-once": [MANAGING, /overtakes|reads|foreign/],
    "mixes-labels": [MANAGING, /has {"name".* instead of/],
  };
  it.each(Object.entries(flaws))("notices %s", async (flaw, [profile, expected]) => {
    expect(await firstViolation(flaw as Flaw, profile, HISTORIES_UNTIL_CAUGHT)).toMatch(expected);
  });
});
