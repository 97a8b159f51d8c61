import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runChild } from "../../../../native-free/child-process.ts";
import { byteWords, bytesOf } from "../../../../src/cli/tgt/byte-words.ts";
import { lookAt, SYSTEM_FILES } from "../../../../src/cli/tgt/tgt-admin/system-world.ts";
import { tgtAdmin } from "../../../../src/cli/tgt/tgt-admin/tgt-admin.ts";
import { tgtadm } from "../../../../src/cli/tgt/tgtadm/tgtadm.ts";
import { chooseSeed, SeededRandom } from "../../../../src/util/random.ts";
import { RealTgtd, tgtdMissing } from "../../../control/tgt/show/real-tgtd.ts";
import { orWhyNot } from "../../../device/loop-device.ts";
import { hasProgram } from "../../../support/debian-packages.ts";
import { randomAction, randomConf } from "./random-conf.ts";

const missing = hasProgram("tgt-admin") ? tgtdMissing() : "tgt-admin is not installed";

const STEPS = 16;
const FILE_BYTES = 4 * 1024 * 1024;
const FILES = ["one.img", "two.img", "three.img"];

/** A daemon of tgt and the folder of its files. */
class Side {
  readonly tgtd: RealTgtd;

  private constructor(tgtd: RealTgtd) {
    this.tgtd = tgtd;
    for (const name of FILES) tgtd.file(name, FILE_BYTES);
  }

  static async start(): Promise<Side> {
    return new Side(await RealTgtd.start());
  }

  get folder(): string {
    return dirname(this.tgtd.socketBase);
  }

  writeConf(text: string): string {
    const path = join(this.folder, "t.conf");
    writeFileSync(path, text.replaceAll("FOLDER", this.folder));
    return path;
  }

  /** Everything that the daemon tells of itself, with its folder and port taken out. */
  async state(): Promise<string> {
    const show = async (...words: readonly string[]): Promise<string> =>
      (await this.tgtd.tgtadm("--op", "show", ...words)).stdout;
    const targets = await show("--mode", "target");
    const texts = [targets, await show("--mode", "account"), await show("--mode", "sys")];
    for (const [, tid = ""] of targets.matchAll(/^Target (\d+):/gm)) {
      texts.push(await show("--mode", "target", "--tid", tid));
    }
    return texts.join("\n").replaceAll(this.folder, "FOLDER");
  }
}

let theirs: Side;
let ours: Side;

async function real(words: readonly string[]): Promise<number> {
  const variables = { TGT_IPC_SOCKET: theirs.tgtd.socketBase };
  const { exitCode } = await runChild("tgt-admin", words, { variables, timeoutMs: 60_000 });
  return exitCode;
}

async function own(words: readonly string[], said: string[] = []): Promise<number> {
  const variables = { TGT_IPC_SOCKET: ours.tgtd.socketBase };
  return tgtAdmin(byteWords(words), {
    tgtadm: (line) => tgtadm(line, { calledAs: "tgtadm", variables }),
    files: SYSTEM_FILES,
    print: (text) => void said.push(bytesOf(text).toString("utf8")),
    complain: () => undefined,
    lookAt,
    run: runChild,
    applyClient: () => Promise.resolve(null),
  });
}

describe.skipIf(missing !== null)(`tgtd${orWhyNot(missing)}`, () => {
  beforeEach(async () => {
    [theirs, ours] = [await Side.start(), await Side.start()];
  }, 60_000);
  afterEach(async () => {
    await theirs?.tgtd.dispose();
    await ours?.tgtd.dispose();
  });

  const seed = chooseSeed(process.env);

  it(`has after ours what it has after the script, step by step (seed ${seed})`, async () => {
    const random = new SeededRandom(seed);
    for (let step = 0; step < STEPS; step += 1) {
      const conf = randomConf(random, { folder: "FOLDER", withFaults: random.chance(0.3) });
      const action = randomAction(random);
      const words = (side: Side): string[] => ["-C", "1", "-c", side.writeConf(conf), ...action];
      const what = `step ${step}: ${action.join(" ")}\n${conf}`;
      const [expected, actual] = [await real(words(theirs)), await own(words(ours))];
      expect(actual, what).toBe(expected);
      expect(await ours.state(), what).toBe(await theirs.state());
    }
  }, 60_000);

  it("has after a dump is carried out what it had before", async () => {
    const random = new SeededRandom(seed);
    const conf = randomConf(random, {
      folder: "FOLDER",
      withFaults: false,
      // The dump has them, too, and they are bound still.
      withDiscovery: false,
    });
    await own(["-C", "1", "-c", ours.writeConf("<target x>\n</target>\n"), "-e", "-f"]);
    await own(["-C", "1", "--delete", "ALL", "-f"]);
    await own(["-C", "1", "-c", ours.writeConf(conf), "-e", "-f"]);
    const before = await ours.tgtd.tgtadm("--op", "show", "--mode", "target");
    const said: string[] = [];
    await own(["-C", "1", "--dump"], said);
    await own(["-C", "1", "--delete", "ALL", "-f"]);
    await own(["-C", "1", "-c", ours.writeConf(said.join("")), "-e", "-f"]);
    const after = await ours.tgtd.tgtadm("--op", "show", "--mode", "target");
    expect(after.stdout, `${conf}\nbecame\n${said.join("")}`).toBe(before.stdout);
  }, 60_000);
});
