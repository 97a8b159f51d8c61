import { describe, expect, it } from "vitest";
import type { Settings } from "../../../../src/cli/tgt/tgtadm/options.ts";
import { composeRequest } from "../../../../src/cli/tgt/tgtadm/compose.ts";
import { complaint } from "../../../../src/cli/tgt/tgtadm/rules.ts";
import { applyOption, emptySettings } from "../../../../src/cli/tgt/tgtadm/settings.ts";
import { NO_LUN, NO_TARGET_ID } from "../../../../src/control/tgt/request.ts";

/** The settings of options such as `tX`: the letter, and its word. */
function settingsOf(...options: readonly string[]): Settings {
  const settings = emptySettings();
  for (const option of options) {
    const ending = applyOption(settings, { letter: option.charAt(0), value: option.slice(1) });
    if (ending !== undefined) throw new Error(ending.stderr);
  }
  return settings;
}

describe("settings", () => {
  it("are empty at first", () => {
    expect(composeRequest(emptySettings())).toEqual({
      mode: 0,
      operation: 0,
      driver: "",
      targetId: NO_TARGET_ID,
      sessionId: 0n,
      lun: NO_LUN,
      connectionId: 0,
      hostNumber: 0,
      deviceType: 0,
      accountDirection: 0,
      pack: 0,
      force: 0,
      text: undefined,
    });
  });

  it("have the last of what is given twice, and all letters", () => {
    const settings = settingsOf("t1", "Ta", "t0x2", "Tb", "mlu", "msystem", "Ytape", "Ydisk");
    expect(settings).toMatchObject({ targetId: 2, texts: { T: "b" }, mode: 0, deviceType: 0 });
    expect(settings.letters.join("")).toBe("tTtTmmYY");
  });

  it.each([
    ["tx", 22, "-t argument value 'x' invalid\nTry `tgtadm --help' for more information.\n"],
    ["c-2", 22, "-c argument value '-2' out of range\nTry `tgtadm --help' for more information.\n"],
    ["oshw", 1, "tgtadm: unknown operation: shw\n"],
    ["mconstructor", 1, "tgtadm: unknown mode: constructor\n"],
    ["Yconstructor", 22, "tgtadm: unknown target type: constructor\n"],
    ["Bnone,1", 22, "tgtadm: can't find bus: none\n"],
  ])("refuse %s", (option, status, stderr) => {
    const given = { letter: option.charAt(0), value: option.slice(1) };
    expect(applyOption(emptySettings(), given)).toEqual({ status, stdout: "", stderr });
  });
});

describe("the text of a request", () => {
  it.each([
    [["na", "vb"], "a=b"],
    [["na"], "a=(null)"],
    [["vb"], undefined],
    [["b/x", "Eaio", "ysome"], "path=/x,bstype=aio,blocksize=some"],
    [["Eaio", "Ytape"], "bstype=ssc"],
    [["mportal", "Px"], "portalOps x,"],
    [["mlu", "Px", "b"], "path=,targetOps x,"],
    [
      ["ppw", "uu", "Qq", "Ii", "Tt", "fF", "SS"],
      "bsopts=S,bsoflags=F,targetname=t,initiator-address=i,initiator-name=q,user=u,password=pw",
    ],
  ])("of %j", (options, text) => {
    expect(composeRequest(settingsOf(...options)).text).toBe(text);
  });
});

describe("a command line", () => {
  it.each([
    [[], "specify the operation type"],
    [["oshow"], "specify the mode"],
    [["oshow", "msystem", "t1"], undefined],
    [["oupdate", "msystem", "t1"], "system mode: option '-t' is not allowed/supported"],
    [["oupdate", "msystem", "d"], "update operation requires 'name' and 'value' options"],
    [["oshow", "mportal", "t1"], "option '-t' not supported in portal mode"],
    [["oupdate", "mlu", "t1", "l0", "na"], "option '-n' not supported in logicalunit mode"],
    [["oshow", "mlu", "t1"], "'lun' option is necessary"],
    [["onew", "mlld", "t1"], "option 0 not supported in lld mode"],
    [["onew", "mconn", "t0", "na"], undefined],
  ])("with %j", (options, words) => {
    expect(complaint(settingsOf(...options))).toBe(words);
  });
});
