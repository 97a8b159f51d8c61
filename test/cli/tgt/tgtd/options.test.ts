import { describe, expect, it } from "vitest";
import { tgtd } from "../../../../src/cli/tgt/tgtd/tgtd.ts";
import { TGTD_HELP } from "../../../../src/cli/tgt/tgtd/help.ts";
import { applyOption, emptySettings, TGTD_OPTIONS } from "../../../../src/cli/tgt/tgtd/options.ts";
import { getopt } from "../../../../src/cli/tgt/getopt.ts";

const HELP = "Try `tgtd --help' for more information.\n";

describe("command lines of tgtd that start nothing", () => {
  it.each([
    ["--bogus", 1, `'bogus' is an unknown option\n${HELP}`],
    ["--foreground=1", 1, `'foreground=1' is an unknown option\n${HELP}`],
    ["--n 4", 1, `'n' is an unknown option\n${HELP}`],
    ["--iscs portal=:1", 1, `'iscs' is an unknown option\n${HELP}`],
    ["--pid-file", 1, `'pid-file' is an unknown option\n${HELP}`],
    ["--co x", 22, `-C argument value 'x' invalid\n${HELP}`],
    ["-Z", 1, HELP],
    ["-C", 1, HELP],
    ["-p", 1, HELP],
    ["-C x", 22, `-C argument value 'x' invalid\n${HELP}`],
    ["-C -1", 22, `-C argument value '-1' invalid\n${HELP}`],
    ["-C 32768", 34, `-C argument value '32768' out of range\n${HELP}`],
    ["-d 5", 34, `-d argument value '5' out of range\n${HELP}`],
    ["-d x", 22, `-d argument value 'x' invalid\n${HELP}`],
    ["-t x", 22, `-t argument value 'x' invalid\n${HELP}`],
    ["-t 0", 34, `-t argument value '0' out of range\n${HELP}`],
  ])("%s ends with %i", async (line, status, stderr) => {
    const ending = await tgtd(line.split(" "), { calledAs: "tgtd", variables: {} });
    expect(ending).toEqual({ status, stdout: "", stderr });
  });

  it.each([
    ["-V", "1.0.85\n"],
    ["--version", "1.0.85\n"],
    ["-f -h", TGTD_HELP],
    ["--he", TGTD_HELP],
  ])("%s prints %j", async (line, stdout) => {
    const ending = await tgtd(line.split(" "), { calledAs: "tgtd", variables: {} });
    expect(ending).toEqual({ status: 0, stdout, stderr: "" });
  });
});

describe("options of tgtd", () => {
  it("are all taken up", () => {
    const settings = emptySettings();
    const line =
      "-f -C 0x10 -t 4 -d 1 -p /run/t.pid --iscsi portal=:860,nop_interval=5,portal=[::1]:3 --iscsi portal= --iser x --state-dir /s --config /c";
    const { given, fault } = getopt(TGTD_OPTIONS, line.split(" "), false);
    expect(fault).toBeUndefined();
    for (const option of given) expect(applyOption(settings, option)).toBeUndefined();
    expect(settings).toEqual({
      isForeground: true,
      isDebug: true,
      controlPort: 16,
      pidFile: "/run/t.pid",
      portals: ["0.0.0.0:860", "[::1]:3"],
      nopOptions: new Map([["nop_interval", "5"]]),
      stateDir: "/s",
      configFile: "/c",
    });
  });

  it.each([
    ["portal=", []],
    ["portal", []],
    ["", []],
    ["portal=,portal=127.0.0.1:33882", ["127.0.0.1:33882"]],
  ])("pass over a portal without an address: --iscsi %j", (text, portals) => {
    const settings = emptySettings();
    const option = { letter: "I", value: text };
    expect(applyOption(settings, option)).toBeUndefined();
    expect(settings.portals).toEqual(portals);
  });
});
