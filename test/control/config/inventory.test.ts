import { describe, expect, it } from "vitest";
import { writeDocument } from "../../../src/control/config/document.ts";
import {
  collisionsOf,
  EMPTY_INVENTORY,
  type Inventory,
  merged,
} from "../../../src/control/config/inventory.ts";
import { inventoryDocument, parseInventory } from "../../../src/control/config/parse-config.ts";
import { ConfigError } from "../../../src/control/config/report.ts";
import { demoConfig } from "../../../src/control/demo-config.ts";
import { fullInventory, poolConfig, targetConfig, thinConfig } from "../support/inventories.ts";

function parsed(text: string): Inventory {
  const readSecretFile = (): never => {
    throw new Error("no files");
  };
  return parseInventory({ fileName: "inventory", text, folder: "/", readSecretFile });
}

describe("the document of an inventory", () => {
  it.each([
    ["with nothing at its default", fullInventory()],
    ["that is empty", EMPTY_INVENTORY],
    [
      "with everything at its default",
      {
        ...EMPTY_INVENTORY,
        pools: new Map([["tank", poolConfig()]]),
        volumes: new Map([["disk", thinConfig("tank")]]),
        targets: [targetConfig("iqn.2026-11.net.example:x")],
      },
    ],
  ] as const)("reads back as it was: one %s", (_what, inventory) => {
    expect(parsed(writeDocument(inventoryDocument(inventory)))).toEqual(inventory);
  });

  it("keeps secrets apart from each other", () => {
    const [target] = parsed(writeDocument(inventoryDocument(fullInventory()))).targets;
    const secrets = target?.authentication?.accounts.map(({ secret }) => secret.reveal());
    expect(secrets).toEqual(["wonderland:123456", "\u00fc# 'q' \"p\"\\n"]);
  });

  it.each([
    ["{ targets: [{ name: x, luns: [] }] }", /name/],
    ["{ volumes: { '../x': { driver: memory, size: 1MiB } } }", /name/],
    ["{ nonsense: 1 }", /unknown key/],
    ["[", /./],
  ])("is refused with what is wrong with it: %s", (text, message) => {
    expect(() => parsed(text)).toThrow(ConfigError);
    expect(() => parsed(text)).toThrow(message);
  });
});

describe("merged", () => {
  it("has the things of both, and the discovery of commands where they have set it", () => {
    const config = demoConfig("/nowhere");
    const inventory = fullInventory();
    const both = merged(config, inventory);
    expect(both.targets).toHaveLength(config.targets.length + inventory.targets.length);
    expect([...both.pools.keys()]).toEqual(["demo", "tank", "plain"]);
    expect(both.discovery).toBe(inventory.discovery);
    expect(merged(config, EMPTY_INVENTORY)).toEqual(config);
  });
});

describe("collisionsOf", () => {
  it("names everything that both have given the same name", () => {
    const config = {
      ...demoConfig("/nowhere"),
      ...fullInventory(),
      discovery: demoConfig("/").discovery,
    };
    expect(collisionsOf(config, fullInventory())).toEqual([
      "pool tank",
      "pool plain",
      "volume tank/disk",
      "volume kept",
      "volume /srv/d 1.img",
      "volume mem",
      "target iqn.2026-11.net.example:one",
      "target iqn.2026-11.net.example:tgt",
      "account alice",
    ]);
    expect(collisionsOf(demoConfig("/nowhere"), fullInventory())).toEqual([]);
  });
});
