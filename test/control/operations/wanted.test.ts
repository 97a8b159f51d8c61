import { describe, expect, it } from "vitest";
import { wantedOf, wantedTarget } from "../../../src/control/operations/wanted.ts";

const NAME = "iqn.2026-11.net.example:one";

describe("what arguments say in the terms of the configuration", () => {
  it("is read by its rules", () => {
    const target = wantedTarget({ name: NAME.toUpperCase(), luns: [], alias: null });
    expect(target).toMatchObject({ name: NAME, alias: null, state: "ready", sessionsMax: 128 });
    expect(wantedOf({}).targets).toEqual([]);
  });

  it("is refused in words of the arguments", () => {
    expect(() => wantedTarget({ name: NAME, luns: [], sessions: 0 })).toThrow(/^sessions: must be/);
    expect(() => wantedTarget({ name: NAME, luns: [{ lun: -1, volume: "a" }] })).toThrow(/^lun: /);
    expect(() => wantedOf({ portals: [{ listen: "x:y:z" }] })).toThrow(/^listen: "x:y:z"/);
    expect(() => wantedOf({ accounts: [{ user: "a" }] })).toThrow(/^needs either "password"/);
    const file = { user: "a", passwordFile: "/etc/hostname" };
    expect(() => wantedOf({ accounts: [file] })).toThrow("secrets come with the arguments");
  });
});
