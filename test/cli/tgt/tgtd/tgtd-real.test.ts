import { describe, expect, it } from "vitest";
import { runChild } from "../../../../native-free/child-process.ts";
import { byteWords, bytesOf } from "../../../../src/cli/tgt/byte-words.ts";
import { tgtd } from "../../../../src/cli/tgt/tgtd/tgtd.ts";
import { chooseSeed, SeededRandom } from "../../../../src/util/random.ts";
import { tgtdMissing } from "../../../control/tgt/show/real-tgtd.ts";
import { orWhyNot } from "../../../device/loop-device.ts";

const missing = tgtdMissing();

const LINES = 150;

/** Each of two is enough to end either daemon before it starts; the other one may be the word of an option. */
const ENDS = ["-V", "-V"];

interface Seen {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

async function real(words: readonly string[]): Promise<Seen> {
  // Should one start nonetheless, it would not end of itself: SIGTERM is nothing to it.
  const line = ["-s", "KILL", "10", "tgtd", "-f", ...words];
  const variables = { TGT_IPC_SOCKET: "/nowhere/socket" };
  const { exitCode, stdout, stderr } = await runChild("timeout", line, { variables });
  return { status: exitCode, stdout, stderr };
}

async function ours(words: readonly string[]): Promise<Seen> {
  const surroundings = { calledAs: "tgtd", variables: {} };
  const { status, stdout, stderr } = await tgtd(byteWords(["-f", ...words]), surroundings);
  const decode = (text: string): string => bytesOf(text).toString("utf8");
  return { status, stdout: decode(stdout), stderr: decode(stderr) };
}

const NAMES = ["foreground", "nodaemonize", "control-port", "nr_iothreads", "pid-file", "debug"];
const NUMBERS = [
  "0",
  "1",
  "2",
  "32767",
  "32768",
  "-1",
  "0x10",
  "010",
  "1x",
  "x",
  "",
  "9".repeat(25),
];

function randomPiece(random: SeededRandom): readonly string[] {
  const value = random.pick([...NUMBERS, "portal=:1", "word"]);
  const name = random.pick(NAMES);
  const beginning = `--${name.slice(0, 1 + random.below(name.length))}`;
  return random.pick([
    [`-${random.pick(["C", "t", "p", "d"])}`, value],
    [`-${random.pick(["f", "D"])}${random.pick(["C", "t", "p", "d"])}${value}`],
    [`--${name}`],
    [`--${name}=${value}`],
    [`--${name}`, value],
    [beginning],
    [beginning, value],
    ["--iscsi", random.pick(["portal=:1", "nop_count=x", "", "word"])],
    ["--iscsi"],
    [
      random.pick([
        "-z",
        "-fz",
        "--frob",
        "--frob=1",
        "--=x",
        "--iscs",
        "--is",
        "-h",
        "--he",
        "word",
        "-",
      ]),
    ],
  ]);
}

describe.skipIf(missing !== null)(`the tgtd of the distribution${orWhyNot(missing)}`, () => {
  it("says of command lines what ours says, whatever is typed", async () => {
    const seed = chooseSeed(process.env);
    const random = new SeededRandom(seed);
    const statuses = new Set<number | null>();
    for (let count = 0; count < LINES; count += 1) {
      const pieces = Array.from({ length: 1 + random.below(3) }, () => randomPiece(random));
      const words = [...pieces.flat(), ...ENDS];
      const expected = await real(words);
      expect(await ours(words), `seed ${seed}: ${JSON.stringify(words)}`).toEqual(expected);
      statuses.add(expected.status);
    }
    expect(
      [...statuses].toSorted((one, other) => Number(one) - Number(other)),
      `seed ${seed}`,
    ).toEqual([0, 1, 22, 34]);
  });
});
