import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { TGTADM_HELP } from "../../../../src/cli/tgt/tgtadm/help.ts";
import { TGTADM_OPTIONS } from "../../../../src/cli/tgt/tgtadm/options.ts";
import { tgtadm } from "../../../../src/cli/tgt/tgtadm/tgtadm.ts";
import type { Ending } from "../../../../src/cli/tgt/ending.ts";
import { GOLDEN_ANSWER, goldenEndings, goldenLines } from "./golden.ts";
import { RecordingServer } from "./recording-server.ts";

let server: RecordingServer;
beforeAll(async () => void (server = await RecordingServer.start()));
afterAll(() => server.dispose());

function run(line: string, variables: Record<string, string> = {}): Promise<Ending> {
  return tgtadm(line.split(" "), {
    calledAs: "tgtadm",
    variables: { TGT_IPC_SOCKET: server.socketBase, ...variables },
  });
}

const endings = goldenEndings();

describe("tgtadm", () => {
  it.each(goldenLines())("%s", async (line) => {
    server.answer = GOLDEN_ANSWER;
    expect({ ...(await run(line)), requests: server.take() }).toEqual(endings[line]);
  });

  it("helps, with every option that needs explaining", async () => {
    expect(await run("-mnothing -h")).toMatchObject({ status: 1 });
    expect(await run("-o show --he nothing")).toEqual({
      status: 0,
      stdout: TGTADM_HELP,
      stderr: "",
    });
    const untold = TGTADM_OPTIONS.filter(({ long }) => !TGTADM_HELP.includes(`--${long}`));
    // What drivers of SCSI hosts had, which are gone.
    expect(untold.map(({ long }) => long)).toEqual(["host", "bus"]);
  });

  it("tells by what it was called that an option is unknown", async () => {
    const surroundings = { calledAs: "/usr/sbin/tgtadm", variables: {} };
    expect(await tgtadm(["--frob"], surroundings)).toEqual({
      status: 22,
      stdout: "",
      stderr:
        "/usr/sbin/tgtadm: unrecognized option '--frob'\nTry `tgtadm --help' for more information.\n",
    });
  });

  it("reads no option behind another word where POSIX is asked for", async () => {
    const posix = await run("word --op bogus", { POSIXLY_CORRECT: "" });
    expect(posix.stderr).toContain("unrecognized option 'word'");
    expect(await run("word --op bogus")).toMatchObject({ status: 1 });
  });
});

describe("tgtadm and the daemon", () => {
  it("prints what it is answered, byte by byte", async () => {
    server.answer = Uint8Array.of(0, 0, 0, 0, 12, 0, 0, 0, 0xff, 0x41, 0x0a, 0);
    expect(await run("--op show --mode target")).toEqual({
      status: 0,
      stdout: "\u00ffA\n",
      stderr: "",
    });
    server.answer = { error: 0, text: "LUN: 1\n".repeat(100_000) };
    const { stdout } = await run("--op show --mode target");
    expect(stdout).toHaveLength(700_000);
  });

  it("is not there", async () => {
    const missing = {
      status: 107,
      stdout: "",
      stderr: expect.stringMatching(/^tgtadm: failed to/),
    };
    for (const base of [`${server.socketBase}-none`, import.meta.filename, ""]) {
      expect(await run("-o show -m target", { TGT_IPC_SOCKET: base })).toEqual(missing);
    }
    expect(await run("-o show -m target -C 1")).toEqual(missing);
    const long = "x".repeat(9000);
    expect(await run(`-o new -m portal -P ${long} -C 1`)).toEqual(missing);
    expect(await run("-o show -m target -d -C 1")).toEqual(missing);
  });

  it("has a name that is too long for a socket", async () => {
    const { status, stderr } = await run("-o show -m target", { TGT_IPC_SOCKET: "x".repeat(106) });
    expect(status).toBe(107);
    expect(stderr.split("\n")).toEqual([
      `tgtadm: management path too long: ${"x".repeat(106)}.0`,
      "tgtadm: failed to send request hdr to tgt daemon, Transport endpoint is not connected",
      "",
    ]);
  });

  it.each([
    ["nothing", [], "tgtd closed the socket", 0],
    ["a part of the header", [0, 0, 0], "a partial response", 0],
    ["a length that is none", [0, 0, 0, 0, 7, 0, 0, 0], "a partial response", 107],
    ["more than there can be", [0, 0, 0, 0, 255, 255, 255, 255], "a partial response", 107],
    ["less than it says", [0, 0, 0, 0, 12, 0, 0, 0, 65], "a partial response", 107],
  ])("answers with %s", async (_, bytes, words, status) => {
    server.answer = Uint8Array.from(bytes);
    const stderr = `tgtadm: ${words}\n`;
    expect(await run("-o show -m target")).toEqual({ status, stdout: "", stderr });
  });

  it("hangs up before it has read the request", async () => {
    server.isRude = true;
    for (const words of ["-o show -m system", `-o new -m portal -P ${"x".repeat(9000)}`]) {
      const { status, stderr } = await run(words);
      expect([status, stderr]).toEqual([
        104,
        "tgtadm: can't get the response, Connection reset by peer\n",
      ]);
    }
    server.isRude = false;
  });

  it("is told to end: waits until it has", async () => {
    const mortal = await RecordingServer.start();
    mortal.endsAfterAnswer = true;
    const ending = await run("-o delete -m system", { TGT_IPC_SOCKET: mortal.socketBase });
    expect(ending).toEqual({ status: 0, stdout: "", stderr: "" });
    mortal.dispose();
  });
});
