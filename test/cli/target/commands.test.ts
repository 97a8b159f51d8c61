import { describe, expect, it } from "vitest";
import { targetCommand } from "../../../src/cli/target.ts";
import { allowCommand, denyCommand, rulesOf } from "../../../src/cli/target/access.ts";
import { authCommand, changesOf } from "../../../src/cli/target/auth.ts";
import {
  createCommand,
  deleteCommand,
  setCommand,
  settingsOf,
} from "../../../src/cli/target/change.ts";
import { listCommand, lunsCommand, showCommand } from "../../../src/cli/target/look.ts";
import { setLunCommand } from "../../../src/cli/target/set-lun.ts";
import { mapCommand, mappingOf, unmapCommand, volumeName } from "../../../src/cli/target/luns.ts";
import { NO_SETTINGS } from "./support/no-settings.ts";

const NONE = {
  "ping-interval": undefined,
  "ping-count": undefined,
  alias: undefined,
  "portal-group": undefined,
  sessions: undefined,
  parameter: undefined,
};
const DAEMON = { "state-dir": undefined, json: false };

describe("commands on targets", () => {
  it("are in the help of their noun", () => {
    expect(targetCommand.command).toBe("target");
    for (const { describe: line } of [
      createCommand,
      listCommand,
      showCommand,
      lunsCommand,
      mapCommand,
      setLunCommand,
      unmapCommand,
      allowCommand,
      denyCommand,
      authCommand,
      setCommand,
      deleteCommand,
    ]) {
      expect(line).toMatch(/^[A-Z]/);
    }
  });

  it("understand settings", () => {
    expect(settingsOf(NONE)).toEqual({});
    expect(
      settingsOf({
        alias: "",
        "portal-group": ["all"],
        sessions: 4,
        parameter: ["headerDigest=required", "maxOutstandingR2T=2", "initialR2T=yes"],
        "ping-interval": "5",
        "ping-count": "default",
      }),
    ).toEqual({
      alias: null,
      portalGroups: [],
      sessionsMax: 4,
      parameters: { headerDigest: "required", maxOutstandingR2T: 2, initialR2T: true },
      pings: { interval: 5, count: null },
    });
    expect(settingsOf({ ...NONE, "portal-group": ["1", "2"], alias: "x" })).toEqual({
      alias: "x",
      portalGroups: [1, 2],
    });
    expect(() => settingsOf({ ...NONE, "portal-group": ["one"] })).toThrow('"one"');
    expect(() => settingsOf({ ...NONE, parameter: ["digest"] })).toThrow("KEY=VALUE");
    expect(() => settingsOf({ ...NONE, "ping-count": "often" })).toThrow('"often"');
  });

  it("understand what is mapped", () => {
    expect(volumeName("tank/a")).toBe("tank/a");
    expect(volumeName("./a.img")).toBe(`${process.cwd()}/a.img`);
    const args = {
      ...DAEMON,
      target: "t",
      volume: "tank/a",
      lun: 3,
      force: true,
      ...NO_SETTINGS,
      "read-only": true,
      "block-size": "4KiB",
      vendor: "ACME",
    };
    expect(mappingOf(args)).toEqual({
      target: "t",
      volume: "tank/a",
      lun: 3,
      force: true,
      readOnly: true,
      blockBytes: 4096,
      vendor: "ACME",
    });
    expect(mappingOf({ ...args, force: undefined })).not.toHaveProperty("force");
  });

  it("understand who is let in", () => {
    const rules = { ...DAEMON, target: "t", address: ["ALL"], initiator: undefined };
    expect(rulesOf(rules)).toEqual({ target: "t", addresses: ["ALL"] });
    expect(rulesOf({ ...rules, address: undefined, initiator: ["iqn.*"] })).toEqual({
      target: "t",
      initiators: ["iqn.*"],
    });
  });

  it("understand who proves what", async () => {
    const args = {
      ...DAEMON,
      target: "t",
      user: undefined,
      account: false,
      mutual: false,
      "require-mutual": false,
      "stop-mutual": false,
      remove: undefined,
      none: false,
      password: undefined,
      "password-file": undefined,
    };
    const ask = (user: string): Promise<string> => Promise.resolve(`secret of ${user}`);
    const body = async (more: object): Promise<unknown> => changesOf({ ...args, ...more }, ask);
    expect(await body({ user: "alice" })).toEqual({
      target: "t",
      users: [{ user: "alice", password: "secret of alice" }],
    });
    expect(await body({ user: "alice", account: true })).toEqual({
      target: "t",
      users: [{ user: "alice" }],
    });
    expect(await body({ user: "disk", mutual: true, "require-mutual": true })).toEqual({
      target: "t",
      mutual: { user: "disk", password: "secret of disk" },
      mutualRequired: true,
    });
    expect(await body({ "stop-mutual": true })).toEqual({
      target: "t",
      mutual: null,
      mutualRequired: false,
    });
    expect(await body({ remove: "bob" })).toEqual({ target: "t", remove: ["bob"] });
    expect(await body({ none: true })).toEqual({ target: "t", none: true });
    await expect(body({ mutual: true })).rejects.toThrow("--user");
    await expect(body({ user: "a", account: true, password: "x" })).rejects.toThrow("already");
  });
});
