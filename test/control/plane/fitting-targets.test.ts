import { expect, it } from "vitest";
import type { Config } from "../../../src/control/config/config.ts";
import { EMPTY_INVENTORY, merged } from "../../../src/control/config/inventory.ts";
import { demoConfig } from "../../../src/control/demo-config.ts";
import { fittingTargets } from "../../../src/control/plane/fitting-targets.ts";
import { type LogLine, recordingLog } from "../../support/recording-log.ts";
import { lunConfig, targetConfig } from "../support/inventories.ts";

const NAME = "iqn.2026-11.net.example:one";
const demo = demoConfig("/nowhere");

function fitting(config: Config, luns: readonly number[], blockBytes: 512 | 4096) {
  const other = targetConfig(`${NAME}2`, { luns: [lunConfig(4, "gone")] });
  const mine = targetConfig(NAME, {
    luns: luns.map((lun) => lunConfig(lun, "disk", { blockBytes })),
  });
  const inventory = { ...EMPTY_INVENTORY, targets: [mine, other] };
  const lines: LogLine[] = [];
  const view = { config, inventory, all: merged(config, inventory) };
  const targets = fittingTargets(view, recordingLog(lines));
  const numbers = targets.map(({ name, luns: all }) => [name, all.map(({ lun }) => lun)]);
  return { numbers, left: lines.map(({ fields }) => fields["lun"]) };
}

const [own] = demo.targets;

it("leaves out LUNs that the configuration describes in another way, or knows nothing of, and no others", () => {
  const ofConfig = [own?.name, own?.luns.map(({ lun }) => lun)];
  expect(fitting(demo, [1], 512)).toEqual({
    numbers: [ofConfig, [NAME, [1]], [`${NAME}2`, []]],
    left: [4],
  });
  expect(fitting(demo, [1], 4096)).toEqual({
    numbers: [ofConfig, [NAME, []], [`${NAME}2`, []]],
    left: [1, 4],
  });
});

it("leaves the first where two exclude each other", () => {
  expect(fitting({ ...demo, targets: [] }, [1, 2], 512).numbers).toEqual([
    [NAME, [1]],
    [`${NAME}2`, []],
  ]);
});
