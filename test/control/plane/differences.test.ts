import { describe, expect, it } from "vitest";
import { EMPTY_INVENTORY } from "../../../src/control/config/inventory.ts";
import { describeDifference, differencesOf } from "../../../src/control/plane/differences.ts";
import { Secret } from "../../../src/control/secret.ts";
import { fullInventory, lunConfig, targetConfig } from "../support/inventories.ts";

const NAME = "iqn.2026-11.net.example:one";
const withTarget = (...changes: Parameters<typeof targetConfig>[1][]) => ({
  ...EMPTY_INVENTORY,
  targets: changes.map((change) => targetConfig(NAME, change)),
});

describe("differencesOf", () => {
  it("is nothing for an inventory and itself", () => {
    expect(differencesOf(fullInventory(), fullInventory())).toEqual([]);
  });

  it("names everything that comes, and everything that goes", () => {
    const coming = differencesOf(EMPTY_INVENTORY, fullInventory());
    expect(coming.map(({ action, kind, name }) => `${action} ${kind} ${name}`)).toEqual([
      "create portal [::1]:3261",
      "create pool tank",
      "create pool plain",
      "create volume tank/disk",
      "create volume kept",
      "create volume /srv/d 1.img",
      "create volume mem",
      "create target iqn.2026-11.net.example:one",
      "create target iqn.2026-11.net.example:tgt",
      "create discovery discovery",
      "create account alice",
    ]);
    const going = differencesOf(fullInventory(), EMPTY_INVENTORY);
    expect(going.map(({ action }) => action)).toEqual(coming.map(() => "delete"));
  });

  it("says what changes of a thing that stays, down to its LUNs", () => {
    const before = withTarget({ luns: [lunConfig(0, "a"), lunConfig(1, "b")] });
    const after = withTarget({
      alias: "x",
      luns: [lunConfig(1, "b", { readOnly: true }), lunConfig(2, "c")],
    });
    expect(differencesOf(before, after).map(describeDifference)).toEqual([
      `change target ${NAME} (alias: none -> x, ` +
        `luns.0: {"lun":0,"volume":"a","blockSize":512,"readOnly":false,"settings":{}} -> none, ` +
        "luns.1.readOnly: false -> true, " +
        `luns.2: none -> {"lun":2,"volume":"c","blockSize":512,"readOnly":false,"settings":{}})`,
    ]);
  });

  it("tells that a secret changes, and never which", () => {
    const auth = (secret: string) => ({
      accounts: [{ user: "alice", secret: new Secret(secret) }],
      mutual: null,
      mutualRequired: false,
      algorithms: null,
    });
    const [one, other] = ["wonderland-one", "wonderland-two"];
    const changes = [
      ...differencesOf(
        withTarget({ authentication: auth(one) }),
        withTarget({ authentication: auth(other) }),
      ),
      ...differencesOf(withTarget({}), withTarget({ authentication: auth(other) })),
      ...differencesOf(EMPTY_INVENTORY, fullInventory()),
    ];
    const text = JSON.stringify(changes) + changes.map(describeDifference).join();
    expect(text).toContain("(hidden)");
    expect(text).not.toMatch(/wonderland|proofproof/);
  });
});
