import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { byteWords } from "../../../../src/cli/tgt/byte-words.ts";
import { tgtimg } from "../../../../src/cli/tgt/tgtimg/tgtimg.ts";
import { chooseSeed, SeededRandom } from "../../../../src/util/random.ts";
import { hasProgram } from "../../../support/debian-packages.ts";
import { attempt } from "../../../support/program.ts";
import { crookedTapes } from "./tapes.ts";

const isMissing = !hasProgram("tgtimg");
const orWhyNot = isMissing ? " (cannot run: tgtimg of the package tgt is not installed)" : "";

/** Its complaints begin with how it is called. */
const TGTIMG = "tgtimg";

const LINES = 250;

const top = mkdtempSync(join(tmpdir(), "thinlun-tgtimg-"));
afterAll(() => rmSync(top, { recursive: true, force: true }));

/** One for each of the two programs, made anew; the names of both are of one length. */
const [theirs, ours] = [join(top, "a"), join(top, "b")];
beforeEach(() => {
  for (const folder of [theirs, ours]) {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder);
    writeFileSync(join(folder, "full.img"), "text that is no tape\n".repeat(1000));
  }
});

const FILE_NAMES = ["some.img", "full.img", "none/some.img", ""];

interface Seen {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly files: readonly unknown[];
}

/** The time that a tape was made is in its serial number, as ten digits, and in the words about it. */
function withoutTime(text: string): string {
  return text.replaceAll(/_\d{10}\b/g, "_TIME").replaceAll(/created .*/g, "created TIME");
}

function filesOf(folder: string): unknown[] {
  return FILE_NAMES.filter((name) => name !== "" && existsSync(join(folder, name))).map((name) => {
    const { size, mode, blocks } = statSync(join(folder, name));
    const content = readFileSync(join(folder, name), "latin1");
    return { name, size, mode, blocks, content: withoutTime(content) };
  });
}

async function real(words: readonly string[]): Promise<Seen> {
  const inFolder = words.map((word) => word.replace("FOLDER", theirs));
  const { status, stdout, stderr } = await attempt(TGTIMG, ...inFolder);
  return seen(status, stdout, stderr, theirs);
}

async function own(words: readonly string[]): Promise<Seen> {
  const inFolder = words.map((word) => word.replace("FOLDER", ours));
  const surroundings = { calledAs: "tgtimg", variables: {} };
  const { status, stdout, stderr } = await tgtimg(byteWords(inFolder), surroundings);
  return seen(status, stdout, stderr, ours);
}

function seen(status: number | null, stdout: string, stderr: string, folder: string): Seen {
  const clean = (text: string): string => withoutTime(text).replaceAll(folder, "FOLDER");
  return { status, stdout: clean(stdout), stderr: clean(stderr), files: filesOf(folder) };
}

const STRAY = ["--frob", "-z", "word", "--", "-T", "--thin=1", "--t", "--ty", "-f"];

const TYPES: Readonly<Record<string, readonly string[]>> = {
  disk: ["disk", "DISK", "diskette"],
  tape: ["data", "Data", "clean", "cleaner", "WORM", "wormy"],
  cd: ["dvd+r", "DVD+R2"],
};
const OTHER_TYPES = ["dis", "dat", "clea", "wor", "dvd+", "", "disk", "data"];

function randomLine(random: SeededRandom): string[] {
  const pick = (words: readonly string[]): string => words[random.below(words.length)] ?? "";
  const device = pick([
    "disk",
    "disk",
    "disk",
    "tape",
    "tape",
    "tape",
    "cd",
    "cd",
    "nope",
    "diskx",
  ]);
  const type = random.below(3) > 0 ? pick(TYPES[device] ?? [""]) : pick(OTHER_TYPES);
  const pieces: string[][] = [];
  const maybe = (chance: number, ...piece: string[]): void => {
    if (random.below(100) < chance) pieces.push(piece);
  };
  maybe(95, pick(["-o", "--op"]), random.below(8) > 0 ? "new" : pick(["show", "neww"]));
  maybe(85, pick(["-Y", "--device-type", "--dev"]), device);
  maybe(95, pick(["-t", "--type", "--ty"]), type);
  maybe(95, "-s", pick(["1", "2", "3", "0", "", "x", "1x", " 2", "+1", "010", "0x2"]));
  maybe(85, pick(["-b", "--barcode"]), pick(["A1", "", "x".repeat(20), "_", "1_2"]));
  maybe(90, "-f", `FOLDER/${random.below(6) > 0 ? "some.img" : pick(FILE_NAMES)}`);
  maybe(30, pick(["--thin-provisioning", "--thin", "--th"]));
  maybe(8, pick(STRAY));
  for (let last = pieces.length - 1; last > 0; last -= 1) {
    const other = random.below(last + 1);
    [pieces[last], pieces[other]] = [pieces[other] ?? [], pieces[last] ?? []];
  }
  return pieces.flat();
}

/** It takes what lies on its stack for the size of such a tape. */
function isUndefinedThere(words: readonly string[]): boolean {
  const size = words[words.indexOf("-s") + 1];
  return words.includes("-s") && (size === "x" || size === "");
}

describe.skipIf(isMissing)(`the tgtimg of the distribution${orWhyNot}`, () => {
  it("makes, says and ends as ours does, whatever is typed", async () => {
    const seed = chooseSeed(process.env);
    const random = new SeededRandom(seed);
    let made = 0;
    for (let count = 0; count < LINES; count += 1) {
      const words = randomLine(random);
      if (isUndefinedThere(words) && !words.includes("disk")) continue;
      const expected = await real(words);
      expect(await own(words), `seed ${seed}: ${JSON.stringify(words)}`).toEqual(expected);
      if (expected.stdout.includes("Created") || expected.stdout.includes("blk_sz")) made += 1;
    }
    expect(made, `seed ${seed}`).toBeGreaterThan(LINES / 20);
  });

  it.each(Object.entries(crookedTapes()))("shows a tape as ours does: %s", async (_, bytes) => {
    for (const folder of [theirs, ours]) writeFileSync(join(folder, "some.img"), bytes);
    const words = ["-o", "show", "-f", "FOLDER/some.img"];
    expect(await own(words)).toEqual(await real(words));
    const surroundings = { calledAs: "tgtimg", variables: {} };
    const { stdout } = await tgtimg(["-o", "show", "-f", join(ours, "some.img")], surroundings);
    // With all times, as both read them from one file.
    expect(stdout).toBe((await attempt(TGTIMG, "-o", "show", "-f", join(ours, "some.img"))).stdout);
  });

  it.each(["FOLDER", "/dev/full", "FOLDER/none"])("says of %s what ours says", async (file) => {
    // What a device says when it is read from differs by how it is read.
    const shows = file === "/dev/full" ? [] : ["-o show -f"];
    for (const line of [...shows, "-o new -t data -b 1 -s 1 -f", "-o new -Y cd -t dvd+r -f"]) {
      const words = [...line.split(" "), file];
      expect(await own(words), line).toEqual(await real(words));
    }
  });
});
