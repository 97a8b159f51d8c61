import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { tgtdMissing } from "../../control/tgt/show/real-tgtd.ts";
import { orWhyNot } from "../../device/loop-device.ts";
import { commonTextOf, ourAnswers, textOf, tgtdAnswers } from "./answers.ts";

const GOLDEN = join(import.meta.dirname, "golden", "answers.txt");

const missing = tgtdMissing();

describe.skipIf(missing !== null)(`units of the installed tgtd${orWhyNot(missing)}`, () => {
  it("answer as ours, and as was recorded", async () => {
    const theirs = await tgtdAnswers();
    // THINLUN_RECORD_TGT=1 writes the golden answers anew.
    if (process.env["THINLUN_RECORD_TGT"] !== undefined) writeFileSync(GOLDEN, textOf(theirs));
    expect(textOf(theirs)).toBe(readFileSync(GOLDEN, "utf8"));
    expect(commonTextOf(await ourAnswers())).toBe(commonTextOf(theirs));
  });
});
