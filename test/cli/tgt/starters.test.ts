import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { runChild, type RunResult } from "../../../native-free/child-process.ts";

const top = join(import.meta.dirname, "..", "..", "..");

const { bin } = JSON.parse(readFileSync(join(top, "package.json"), "utf8")) as {
  bin: Record<string, string>;
};

/** Runs a built program under the name by which it is installed. */
function start(program: string, ...words: readonly string[]): Promise<RunResult> {
  const variables = { TGT_IPC_SOCKET: join(top, "none") };
  return runChild(process.execPath, [join(top, bin[program] ?? ""), ...words], { variables });
}

describe("the programs of tgt, as they are installed", () => {
  it("are tgtadm", async () => {
    expect(await start("tgtadm", "--op", "show", "--mode", "target")).toMatchObject({
      exitCode: 107,
      stderr:
        "tgtadm: failed to send request hdr to tgt daemon, Transport endpoint is not connected\n",
    });
    expect(await start("tgtadm", "-z")).toMatchObject({
      exitCode: 22,
      stderr: "tgtadm: invalid option -- 'z'\nTry `tgtadm --help' for more information.\n",
    });
  });

  it("are tgtimg", async () => {
    expect(await start("tgtimg", "--op", "bogus")).toMatchObject({
      exitCode: 1,
      stderr: "tgtimg: unknown operation: bogus\n",
    });
  });

  it("are tgt-setup-lun", async () => {
    expect(await start("tgt-setup-lun", "-n", "a", "-d", "b")).toMatchObject({
      exitCode: 1,
      stdout: "tgtd is not running\nExiting...\n",
    });
  });
});
