import { describe, expect, it } from "vitest";
import {
  lunSettings,
  systemSettings,
  targetSetting,
} from "../../../src/control/tgt/tgt-command-update.ts";

describe("a setting of a target", () => {
  it("is spelled as tgtd spells it", () => {
    const setting = { key: "ImmediateData", value: "No" };
    expect(targetSetting("IMMEDIATEDATA=No")).toEqual(setting);
  });

  it("has the keys of a target in one case only", () => {
    expect(targetSetting("RedirectAddress=")).toEqual({ key: "RedirectAddress", value: "" });
    expect(targetSetting("redirectaddress=1.2.3.4")).toBeNull();
  });

  it("is none without an equal sign", () => {
    expect(targetSetting("state")).toBeUndefined();
    expect(targetSetting("")).toBeUndefined();
  });

  it.each([
    ["MaxRecvDataSegmentLength", 512, 16_777_215],
    ["MaxOutstandingR2T", 1, 65_535],
    ["ErrorRecoveryLevel", 0, 2],
    ["DefaultTime2Wait", 0, 3600],
    ["MaxQueueCmd", 1, 512],
  ])("is for %s from %i to %i", (key, least, most) => {
    for (const value of [least, most]) expect(targetSetting(`${key}=${value}`)).not.toBeNull();
    for (const value of [least - 1, most + 1]) expect(targetSetting(`${key}=${value}`)).toBeNull();
  });
});

describe("a setting of the system", () => {
  it.each([
    ["debug=on", { key: "debug", value: "on" }],
    ["debug=offx,State=bogus", { key: "debug", value: "off" }],
    ["State=offline", { key: "State", value: "offline" }],
    ["iSNSServerIP=bogus", { key: "iSNSServerIP", value: "bogus" }],
    ["iSNSAccessControl=Q", { key: "iSNSAccessControl", value: "Q" }],
  ])("is read from %s", (part, setting) => {
    expect(systemSettings(part)).toEqual([setting]);
  });

  it.each([
    "debug=o",
    "State=offlinex",
    "iSNS=on",
    "iSNSServerIP=",
    "iSNSServerPort=5x",
    "toString=1",
    ",debug=on",
    "State=ready,x",
    "iSNSServerPort=5,debug=on",
  ])("is not read from %j", (part) => {
    expect(systemSettings(part)).toBeNull();
  });
});

it("of the system may be several, or none", () => {
  expect(systemSettings(",iSNSAccessControl=Off,,iSNSServerPort=9,")).toEqual([
    { key: "iSNSAccessControl", value: "Off" },
    { key: "iSNSServerPort", value: "9" },
  ]);
  expect(systemSettings(",,")).toEqual([]);
});

describe("settings of a logical unit", () => {
  it("keep their order and doubles", () => {
    expect(lunSettings("targetOps readonly=1,,path=/a,readonly=0,")).toEqual([
      { key: "readonly", value: "1" },
      { key: "path", value: "/a" },
      { key: "readonly", value: "0" },
    ]);
    expect(lunSettings("targetOps ")).toEqual([]);
  });

  it.each(["readonly", "readonly=", "readonly=1,foo=1", "Readonly=1", "tid=1"])(
    "are all refused for %s",
    (text) => {
      expect(lunSettings(text)).toBeNull();
    },
  );
});
