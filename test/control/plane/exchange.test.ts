import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { TargetConfig } from "../../../src/control/config/config.ts";
import { Exchange, type ExchangeParts, type Found } from "../../../src/control/plane/exchange.ts";
import { lunConfig, targetConfig } from "../support/inventories.ts";
import { PlaneHarness } from "../support/plane-harness.ts";

const A = "iqn.2026-11.net.example:a";
const B = "iqn.2026-11.net.example:b";
const C = "iqn.2026-11.net.example:c";

const memory = {
  driver: "memory",
  sizeBytes: 1 << 20,
  uuid: null,
  readOnly: false,
  optional: false,
  delayMs: 0,
} as const;

let harness: PlaneHarness;
let steps: string[];
let failing: string | null;
let isMet: boolean;

/** Exports that write down what is asked of them; where it concerns `failing`, it fails. */
function noting(): ExchangeParts {
  const note = (step: string, name: string): void => {
    steps.push(`${step} ${name}`);
    if (name === failing) throw new Error(`${name} fails`);
  };
  const notes = async (step: string, name: string): Promise<void> => {
    await Promise.resolve();
    note(step, name);
  };
  const { log, volumes } = harness.parts;
  return {
    log,
    volumes,
    exports: {
      add: ({ name }) => note("add", name),
      addLun: (target, { lun }) => {
        note(`add ${lun}`, target);
        return true;
      },
      configure: ({ name }) => note("configure", name),
      refresh: ([target]) => note("refresh", target?.name ?? ""),
      remove: (name) => notes("remove", name),
      removeLun: (name, lun) => notes(`remove ${lun}`, name),
      isMetAsAnother: () => isMet,
    },
  };
}

beforeEach(async () => {
  harness = await PlaneHarness.start();
  steps = [];
  failing = null;
  isMet = false;
  for (const name of ["one", "two"]) await harness.parts.volumes.open(name, memory);
});

afterEach(() => harness.dispose());

const before: Found = {
  volumes: new Map([
    ["one", memory],
    ["two", memory],
  ]),
  targets: [
    targetConfig(A, { luns: [lunConfig(0, "one"), lunConfig(1, "two")] }),
    targetConfig(B, { luns: [lunConfig(0, "one")] }),
  ],
};

const after: Found = {
  volumes: new Map([["one", memory]]),
  targets: [
    targetConfig(A, { alias: "new", luns: [lunConfig(0, "one"), lunConfig(2, "one")] }),
    targetConfig(C),
  ],
};

describe("Exchange", () => {
  it("takes away what goes, closes it, and brings what comes", async () => {
    const exchange = new Exchange(noting(), before, after);
    await exchange.takeAway();
    expect(steps.splice(0)).toEqual([`remove ${B}`, `remove 1 ${A}`]);
    expect(harness.parts.volumes.volumes.size).toBe(2);
    await exchange.closeVolumes();
    expect([...harness.parts.volumes.volumes.keys()]).toEqual(["one"]);
    expect(exchange.bring()).toEqual([]);
    expect(steps).toEqual([`configure ${A}`, `add 2 ${A}`, `refresh ${A}`, `add ${C}`]);
    const warnings = harness.lines.filter(({ level }) => level === "warn");
    expect(warnings).toMatchObject([{ fields: { volume: "two" } }]);
  });

  it("does nothing where nothing is different", async () => {
    const exchange = new Exchange(noting(), before, before);
    await exchange.takeAway();
    await exchange.closeVolumes();
    expect([exchange.bring(), steps]).toEqual([[], []]);
  });

  it("goes on where one thing fails, and says so", async () => {
    for (const name of [A, B, C]) {
      failing = name;
      const exchange = new Exchange(noting(), before, after);
      await exchange.takeAway();
      exchange.bring();
      expect(steps.splice(0)).toHaveLength(6);
    }
    const errors = harness.lines.filter(({ level }) => level === "error");
    expect(errors.map(({ fields }) => fields["target"])).toEqual([A, A, A, A, B, C]);
  });

  it("leaves out what initiators would take for another disk, unless they are meant to find one", () => {
    isMet = true;
    const leftOut = new Exchange(noting(), before, after).bring();
    expect(leftOut).toEqual([{ target: A, lun: lunConfig(2, "one") }]);
    expect(steps.splice(0)).toEqual([`configure ${A}`, `refresh ${A}`, `add ${C}`]);
    // Those of a target that was there before come back to one that is made anew under its name.
    const anew = { ...after, targets: [targetConfig(C, { luns: [lunConfig(0, "one")] })] };
    const parts = noting();
    const made: number[] = [];
    const add = ({ luns }: TargetConfig): void => void made.push(luns.length);
    const exports = { ...parts.exports, add };
    const left = new Exchange({ ...parts, exports }, { ...after, targets: [] }, anew).bring();
    expect(left).toEqual([{ target: C, lun: lunConfig(0, "one") }]);
    expect(made).toEqual([0]);
    expect(new Exchange(noting(), before, after, { replacesDisks: true }).bring()).toEqual([]);
    expect(steps).toContain(`add 2 ${A}`);
  });

  it("closes the volume that was there, and not what has its name by then", async () => {
    const { volumes } = harness.parts;
    const exchange = new Exchange(noting(), before, after);
    await exchange.takeAway();
    await volumes.close("two");
    await volumes.open("two", memory);
    await exchange.closeVolumes();
    expect(volumes.volumes.has("two")).toBe(true);
  });
});
