import { describe, expect, it } from "vitest";
import { hasProgram } from "../../../support/debian-packages.ts";
import { orWhyNot } from "../../../device/loop-device.ts";
import { recordTranscripts } from "./golden.ts";
import { PLAYS } from "./plays.ts";
import { inOneOrder, playOurs, playTheirs, type Seen } from "./stage.ts";

function missingHere(): string | null {
  if (process.getuid?.() !== 0) return "tgt-admin runs for the superuser only";
  const needed = ["/usr/sbin/tgt-admin", "lsof", "sg_inq"].find((name) => !hasProgram(name));
  return needed === undefined ? null : `${needed} is not installed`;
}

const missing = missingHere();

describe.skipIf(missing !== null)(`the script of tgt${orWhyNot(missing)}`, () => {
  it("does as ours does in every play", async () => {
    const transcripts: Record<string, Seen> = {};
    for (const [name, play] of Object.entries(PLAYS)) {
      const theirs = inOneOrder(await playTheirs(play));
      transcripts[name] = theirs;
      expect.soft(inOneOrder(await playOurs(play)), name).toEqual(theirs);
    }
    if (process.env["THINLUN_RECORD"] !== undefined) recordTranscripts(transcripts);
  }, 60_000);
});
