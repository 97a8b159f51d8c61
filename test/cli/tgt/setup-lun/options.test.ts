import { describe, expect, it } from "vitest";
import { parseSetupWords } from "../../../../src/cli/tgt/setup-lun/options.ts";

const NOTHING = {
  name: "",
  device: "",
  bsType: "",
  blockSize: "",
  driver: "iscsi",
  controlPort: "",
  initiators: [],
  wantsHelp: false,
  complaints: [],
};

describe("the words of tgt-setup-lun", () => {
  it.each([
    ["", {}],
    ["-n disk -d /dev/sdb", { name: "disk", device: "/dev/sdb" }],
    [
      "-ndisk -b aio -B4096 -t iser -C 2",
      { name: "disk", bsType: "aio", blockSize: "4096", driver: "iser", controlPort: "2" },
    ],
    ["-n a -n b 10.0.0.1 -d x", { name: "b", initiators: ["10.0.0.1", "-d", "x"] }],
    ["-n a -- -d x", { name: "a", initiators: ["-d", "x"] }],
    ["- -n a", { initiators: ["-", "-n", "a"] }],
    ["-n -d", { name: "-d" }],
    ["-zn a", { name: "a", complaints: ["illegal option -- z"] }],
    ["-xy -n a", { name: "a", complaints: ["illegal option -- x", "illegal option -- y"] }],
    ["-n", { complaints: ["option requires an argument -- n"] }],
    ["-h", { complaints: ["option requires an argument -- h"] }],
  ])("%s", (line, expected) => {
    const words = line === "" ? [] : line.split(" ");
    expect(parseSetupWords(words)).toEqual({ ...NOTHING, ...expected });
  });

  it("end at a wish for help", () => {
    expect(parseSetupWords(["-h", "x", "-z"])).toMatchObject({ wantsHelp: true, complaints: [] });
  });
});
