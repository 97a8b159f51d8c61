import { expect, it } from "vitest";
import { EMPTY_INVENTORY, merged } from "../../../src/control/config/inventory.ts";
import { demoConfig } from "../../../src/control/demo-config.ts";
import { withOptionalThings } from "../../../src/control/plane/optional-things.ts";
import { imageConfig, poolConfig } from "../support/inventories.ts";

it("lets the daemon start without what commands have made, and not without what is configured", () => {
  const config = demoConfig("/state");
  const inventory = {
    ...EMPTY_INVENTORY,
    pools: new Map([["tank", poolConfig()]]),
    volumes: new Map([["image", imageConfig("/a.img")]]),
  };
  const all = merged(config, inventory);
  const { pools, volumes, targets } = withOptionalThings({ config, inventory, all });
  const optional = [...pools, ...volumes].map(([name, it]) => [name, it.optional]);
  expect(optional).toEqual([
    ["demo", false],
    ["tank", true],
    ["disk", false],
    ["image", true],
  ]);
  expect(targets).toEqual(all.targets);
});
