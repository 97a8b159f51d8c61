import { describe, expect, it } from "vitest";
import type { Driver } from "./driver.ts";
import { firstVolumes, newMedia, uuidOf } from "./driver.ts";
import { historyOf, inWords } from "./history.ts";
import { profileNamed } from "./profiles.ts";
import type { Flaw } from "./reference-pool.ts";
import { newMedium, ReferencePool, ReferenceStore } from "./reference-pool.ts";
import { runHistory } from "./walk.ts";

const HISTORIES = 40;
const HISTORIES_UNTIL_CAUGHT = 400;

const PROFILE = profileNamed("small");

function driverWith(flaw: Flaw): Driver {
  const store = new ReferenceStore();
  for (const { volume, sizeBytes } of firstVolumes(PROFILE)) {
    const uuid = uuidOf(volume);
    store.volumes.set(uuid, { uuid, sizeBytes, media: newMedium(), readOnly: false });
  }
  return {
    media: (profile) => Promise.resolve([newMedia(profile, true)]),
    open: (machine) => Promise.resolve(new ReferencePool(machine, store, flaw).asPool()),
    crashed: (machine, kind) => store.crash(machine, kind),
  };
}

async function firstViolation(flaw: Flaw, histories: number): Promise<string | undefined> {
  for (let seed = 1; seed <= histories; seed += 1) {
    const history = historyOf(seed, PROFILE);
    const { violation } = await runHistory(history, driverWith(flaw));
    if (violation !== undefined) return `seed ${seed}: ${violation}\n${inWords(history)}`;
  }
  return undefined;
}

describe("the oracle", () => {
  it("asks for nothing that a pool cannot promise", async () => {
    expect(await firstViolation("none", HISTORIES)).toBeUndefined();
  });

  const flaws: Record<Exclude<Flaw, "none">, RegExp> = {
    "early-acknowledgement": /reads|garbage/,
    "late-write": /reads/,
    "wrong-place": /foreign data/,
    "flush-nothing": /after a power loss/,
    "group-in-parts": /a part of a consistency group/,
    "group-not-gated": /different instants|a part of|reads/,
    "rollback-in-parts": /reads|foreign/,
    "shrink-keeps": /reads|foreign/,
    "forgets-delete": /never made, or is deleted/,
  };
  it.each(Object.entries(flaws))("notices %s", async (flaw, expected) => {
    expect(await firstViolation(flaw as Flaw, HISTORIES_UNTIL_CAUGHT)).toMatch(expected);
  });
});
