import { describe, expect, it } from "vitest";
import type { Config, VolumeConfig } from "../../../src/control/config/config.ts";
import { reachable } from "../../../src/control/plane/reachable.ts";
import { imageConfig, lunConfig, targetConfig } from "../support/inventories.ts";
import { emptyConfig } from "../support/plane-harness.ts";

const A = "iqn.2026-11.net.example:a";
const B = "iqn.2026-11.net.example:b";

function config(changes: Partial<Config> = {}): Config {
  return {
    ...emptyConfig("/nowhere"),
    volumes: new Map<string, VolumeConfig>([
      ["one", imageConfig("/one")],
      ["two", imageConfig("/two")],
    ]),
    targets: [targetConfig(A, { luns: [lunConfig(0, "one")] })],
    ...changes,
  };
}

const having = (...luns: Config["targets"][number]["luns"][number][]): Config =>
  config({ targets: [targetConfig(A, { luns })] });

/** What waits, and the LUNs that are there now, as NUMBER VOLUME. */
function outcome(wanted: Config, running = config(), elsewhere: Config["targets"] = []) {
  const { config: now, waiting } = reachable(wanted, running, elsewhere);
  const luns = now.targets.flatMap((target) => target.luns);
  return { now, waiting, luns: luns.map(({ lun, volume }) => `${lun} ${volume}`) };
}

describe("what of a configuration can be in effect without a restart", () => {
  it("is all of what comes, what goes, and what settings say", () => {
    const readOnly = outcome(having(lunConfig(0, "one", { readOnly: true })));
    expect(readOnly).toMatchObject({ waiting: [], luns: ["0 one"] });
    expect(readOnly.now.targets[0]?.luns[0]?.readOnly).toBe(true);
    expect(outcome(having(lunConfig(3, "one"), lunConfig(4, "two")))).toMatchObject({
      waiting: [],
      luns: ["3 one", "4 two"],
    });
    const gone = outcome(config({ targets: [], volumes: new Map() }));
    expect([gone.waiting, gone.now.targets, gone.now.volumes.size]).toEqual([[], [], 0]);
    const other = [targetConfig(B), targetConfig(A, { alias: "new" })];
    expect(outcome(config({ targets: other })).now.targets).toEqual(other);
    const http = null;
    const accounts: Config["accounts"] = [];
    expect(outcome(config({ http, accounts })).now).toMatchObject({ http, accounts });
  });

  it("is no number that leads to another disk, and no disk under a second number of a target", () => {
    const waiting = [`LUN 0 of ${A}`];
    const changes = [{ blockBytes: 4096 }, { identity: { serial: "other" } }] as const;
    for (const change of changes) {
      expect(outcome(having(lunConfig(0, "one", change)))).toMatchObject({ waiting });
    }
    expect(outcome(having(lunConfig(0, "two")))).toMatchObject({ waiting, luns: ["0 one"] });
    const twice = outcome(having(lunConfig(0, "one"), lunConfig(1, "one")));
    expect(twice).toMatchObject({ waiting: [`LUN 1 of ${A}`], luns: ["0 one"] });
  });

  it("is no other disk under the name of one that is open, but its size", () => {
    const larger = new Map([["one", imageConfig("/one", { sizeBytes: 1 << 21 })]]);
    expect(outcome(config({ volumes: larger }))).toMatchObject({ waiting: [] });
    const moved = outcome(config({ volumes: new Map([["one", imageConfig("/elsewhere")]]) }));
    expect(moved.waiting).toEqual(["volume one"]);
    expect(moved.now.volumes.get("one")).toEqual(imageConfig("/one"));
    // One that is not there can be any.
    const absent = config({ volumes: new Map(), targets: [] });
    const any = new Map([["one", imageConfig("/elsewhere")]]);
    expect(outcome(config({ volumes: any }), absent).now.volumes).toEqual(any);
  });

  it("leaves what a LUN still leads to where it is", () => {
    const swapped = outcome({ ...having(lunConfig(0, "two")), volumes: new Map() });
    expect([...swapped.now.volumes.keys()]).toEqual(["one"]);
    const theirs = [targetConfig(B, { luns: [lunConfig(0, "two")] })];
    const kept = outcome(config({ volumes: new Map(), targets: [] }), config(), theirs);
    expect([...kept.now.volumes.keys()]).toEqual(["two"]);
  });

  it("is neither a target of tgt in the place of another, nor what is fixed", () => {
    const tgt = { settings: new Map<string, string>() };
    const ours = config({ targets: [targetConfig(A, { tgt })], poll: "off" });
    const { now, waiting } = outcome(ours);
    expect(waiting).toEqual(["poll", `target ${A}`]);
    expect([now.poll, now.targets]).toEqual([config().poll, config().targets]);
  });
});
