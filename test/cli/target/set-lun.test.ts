import { describe, expect, it } from "vitest";
import { lunChangesOf } from "../../../src/cli/target/set-lun.ts";
import { NO_SETTINGS } from "./support/no-settings.ts";

describe("what is to be changed of a LUN", () => {
  const NONE = { ...NO_SETTINGS, "state-dir": undefined, json: false, target: "t", lun: 3 };
  const args = { ...NONE, writable: false, offline: false, online: false };

  it("is understood", () => {
    expect(lunChangesOf(args)).toEqual({ target: "t", lun: 3 });
    expect(lunChangesOf({ ...args, writable: true, offline: true, serial: "s" })).toEqual({
      target: "t",
      lun: 3,
      readOnly: false,
      online: false,
      serial: "s",
    });
    expect(lunChangesOf({ ...args, online: true, "read-only": true })).toEqual({
      target: "t",
      lun: 3,
      readOnly: true,
      online: true,
    });
  });

  it("is not two things at once", () => {
    expect(() => lunChangesOf({ ...args, writable: true, "read-only": true })).toThrow("not both");
    expect(() => lunChangesOf({ ...args, online: true, offline: true })).toThrow("not both");
  });
});
