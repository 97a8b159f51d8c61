import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runChild } from "../../../../native-free/child-process.ts";
import { byteWords, bytesOf } from "../../../../src/cli/tgt/byte-words.ts";
import { tgtadm } from "../../../../src/cli/tgt/tgtadm/tgtadm.ts";
import { chooseSeed, SeededRandom } from "../../../../src/util/random.ts";
import { hasProgram } from "../../../support/debian-packages.ts";
import { randomCommandLine } from "./command-lines.ts";
import { GOLDEN_ANSWER, goldenEndings, goldenLines, recordEndings, type Seen } from "./golden.ts";
import { RecordingServer } from "./recording-server.ts";

const isMissing = !hasProgram("tgtadm");
const orWhyNot = isMissing ? " (cannot run: tgtadm of the package tgt is not installed)" : "";

const LINES = 300;

let server: RecordingServer;
beforeAll(async () => {
  server = await RecordingServer.start();
  server.answer = GOLDEN_ANSWER;
});
afterAll(() => server.dispose());

async function real(words: readonly string[]): Promise<Seen> {
  const variables = { TGT_IPC_SOCKET: server.socketBase };
  const { exitCode, stdout, stderr } = await runChild("tgtadm", words, { variables });
  return { status: exitCode, stdout, stderr, requests: server.take() };
}

async function ours(words: readonly string[]): Promise<Seen> {
  const { status, stdout, stderr } = await tgtadm(byteWords(words), {
    calledAs: "tgtadm",
    variables: { TGT_IPC_SOCKET: server.socketBase },
  });
  const decode = (text: string): string => bytesOf(text).toString("utf8");
  return { status, stdout: decode(stdout), stderr: decode(stderr), requests: server.take() };
}

/** Our help has the same forms, and explanations of its own. */
function withoutHelp(seen: Seen): Seen {
  return seen.stdout.includes("Usage: tgtadm [OPTION]") ? { ...seen, stdout: "help" } : seen;
}

describe.skipIf(isMissing)(`the tgtadm of the distribution${orWhyNot}`, () => {
  it("sends, says and ends as recorded", async () => {
    const endings: Record<string, Seen> = {};
    for (const line of goldenLines()) endings[line] = await real(line.split(" "));
    if (process.env["THINLUN_RECORD_TGT"] !== undefined) recordEndings(endings);
    expect(goldenEndings()).toEqual(endings);
  });

  it("sends, says and ends as ours does, whatever is typed", async () => {
    const seed = chooseSeed(process.env);
    const random = new SeededRandom(seed);
    let asked = 0;
    for (let count = 0; count < LINES; count += 1) {
      const words = randomCommandLine(random);
      const expected = await real(words);
      expect(withoutHelp(await ours(words)), `seed ${seed}: ${JSON.stringify(words)}`).toEqual(
        withoutHelp(expected),
      );
      asked += expected.requests.length;
    }
    expect(asked, `seed ${seed}`).toBeGreaterThan(LINES / 10);
  });

  it.each([
    ["nobody answers", { hangUp: true }],
    ["the daemon hangs up with bytes unread", { isRude: true }],
    [
      "the text is too long",
      { isRude: true, words: ["-o", "new", "-m", "portal", "-P", "x".repeat(9000)] },
    ],
    ["the answer is cut in its header", { answer: new Uint8Array(4) }],
    ["the error is unknown", { answer: { error: 99, text: "" } }],
    ["the text of an error is dropped", { answer: { error: 4, text: "text" } }],
    ["the text has no end", { answer: Uint8Array.of(0, 0, 0, 0, 10, 0, 0, 0, 65, 66) }],
    ["text goes on behind its end", { answer: Uint8Array.of(0, 0, 0, 0, 11, 0, 0, 0, 65, 0, 66) }],
    ["all goes well", { answer: { error: 0, text: "a\nb\n" } }],
    [
      "all goes well, and it tells",
      { answer: { error: 0, text: "a" }, words: ["-doshow", "-mlld"] },
    ],
  ] as const)("ends as ours does when %s", async (_, how) => {
    const words = "words" in how ? how.words : ["--op", "show", "--mode", "system"];
    server.isRude = "isRude" in how;
    server.answer = "answer" in how ? how.answer : new Uint8Array();
    try {
      const expected = await real(words);
      expect({ ...(await ours(words)), requests: [] }).toEqual({ ...expected, requests: [] });
    } finally {
      server.isRude = false;
      server.answer = GOLDEN_ANSWER;
    }
  });
});
