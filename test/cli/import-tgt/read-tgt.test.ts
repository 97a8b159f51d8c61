import { describe, expect, it } from "vitest";
import {
  passwordsOf,
  quietWorld,
  readConf,
  readFromRunning,
} from "../../../src/cli/import-tgt/read-tgt.ts";
import { memoryFiles } from "../tgt/config-general-memory.ts";

describe("passwordsOf", () => {
  it("has those of all users", () => {
    const text =
      "outgoingdiscoveryuser d one\n<target iqn.a>\nincominguser u two\noutgoinguser o three\n</target>\n";
    const { conf } = readConf("/t.conf", { files: memoryFiles({ "/t.conf": text }) });
    expect([...passwordsOf(conf)]).toEqual([
      ["d", "one"],
      ["u", "two"],
      ["o", "three"],
    ]);
  });
});

describe("readConf", () => {
  it("says what is wrong, and where", () => {
    const files = memoryFiles({ "/t.conf": "<target iqn.a>\nlun\n</target>\n" });
    expect(() => readConf("/t.conf", { files })).toThrow("/t.conf:2: ");
  });
});

describe("readFromRunning", () => {
  it("misses a tgtd that does not answer", async () => {
    const reading = readFromRunning(quietWorld({ TGT_IPC_SOCKET: "/nowhere/socket" }), 3);
    await expect(reading).rejects.toMatchObject({
      kind: "missing",
      message: "no tgtd answers at control port 3",
    });
  });
});
