import { describe, expect, it } from "vitest";
import { PoolError } from "../../src/thin/pool-error.ts";
import type { Driver } from "./driver.ts";
import { engineDriver } from "./engine.ts";
import type { History } from "./history.ts";
import { historyOf } from "./history.ts";
import type { Machine } from "./machine.ts";
import { profileNamed } from "./profiles.ts";
import type { Outcome } from "./walk.ts";
import { runHistory } from "./walk.ts";

const REOPENINGS = 12;

/** Nothing but crashes, after each of which a device of the two is missing or smaller. */
function crashes(): History {
  const profile = profileNamed("several");
  const rounds = Array.from({ length: REOPENINGS }, (_, seed) => ({
    seed,
    operations: [],
    faults: [],
    idleMs: 0,
    pagesMs: 0,
    crash: { after: 0, kind: "power" as const, again: [] },
    isClosed: false,
  }));
  return { ...historyOf(1, profile), rounds };
}

function live(beforeOpen: (machine: Machine) => void): Promise<Outcome> {
  const driver: Driver = {
    media: (profile) => engineDriver.media(profile),
    open: async (machine, profile) => {
      beforeOpen(machine);
      return engineDriver.open(machine, profile);
    },
  };
  return runHistory(crashes(), driver);
}

function isMissing({ disks, media }: Machine): boolean {
  return disks.length < media.length;
}

describe("a pool that is opened without a whole device", () => {
  it("is refused by name, and left alone", async () => {
    const { refusals, violation } = await live(() => undefined);
    expect(violation).toBeUndefined();
    expect(refusals).toBe(REOPENINGS);
  });

  it("must not be opened", async () => {
    const { violation } = await live((machine) => {
      for (const [index, disk] of machine.disks.entries()) {
        if (!isMissing(machine)) disk.capacityBytes = machine.media[index]!.capacityBytes;
      }
    });
    expect(violation).toMatch(/without a whole device .* is opened/);
  });

  it("must be refused in words that say which device it is", async () => {
    const { violation } = await live((machine) => {
      if (isMissing(machine)) throw new PoolError("missing", "some device is missing");
    });
    expect(violation).toMatch(/refused: some device is missing/);
  });

  it("must not be written to", async () => {
    const { violation } = await live((machine) => {
      if (isMissing(machine)) machine.media[0]!.write(null, 0, 512, 0);
    });
    expect(violation).toBe("a pool that is refused was written to");
  });
});

describe("a pool that is opened after a crash", () => {
  function crashed(faults: History["rounds"][number]["faults"]): Promise<Outcome> {
    const [round] = crashes().rounds;
    if (round === undefined) throw new Error("there is a round");
    const profile = profileNamed("small");
    const history = { ...historyOf(1, profile), rounds: [{ ...round, faults }] };
    let openings = 0;
    return runHistory(history, {
      media: (wanted) => engineDriver.media(wanted),
      open: async (machine, wanted) => {
        const pool = await engineDriver.open(machine, wanted);
        openings += 1;
        machine.hasFallenBack = openings > 1;
        return pool;
      },
    });
  }

  it("must have the newest checkpoint", async () => {
    expect((await crashed([])).violation).toMatch(/newest checkpoint is refused/);
  });

  it("may do without where a device has failed", async () => {
    const fault = { kind: "readError", device: 0, after: 1_000_000, count: 1 } as const;
    expect((await crashed([fault])).violation).toBeUndefined();
  });
});
