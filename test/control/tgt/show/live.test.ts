import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { orWhyNot } from "../../../device/loop-device.ts";
import { identitiesText, playIdentities } from "./identity-examples.ts";
import { play } from "./play.ts";
import { tgtdMissing } from "./real-tgtd.ts";
import { SCENARIOS } from "./scenarios.ts";

const missing = tgtdMissing();

/** THINLUN_RECORD_TGT=1 writes the golden texts anew, before they are compared with ours. */
function record(golden: string, text: string): void {
  if (process.env["THINLUN_RECORD_TGT"] === undefined) return;
  writeFileSync(join(import.meta.dirname, "golden", `${golden}.txt`), text);
}

describe.skipIf(missing !== null)(`what the installed tgtd shows${orWhyNot(missing)}`, () => {
  it.each(SCENARIOS)("is what we show: $name", async (scenario) => {
    const printed = await play(scenario);
    for (const { show, text } of printed) record(show.golden, text);
    for (const { show, text } of printed) expect(show.text, show.words).toBe(text);
  });

  it("has units of the same names as ours", async () => {
    const text = await playIdentities();
    record("identities", text);
    expect(identitiesText()).toBe(text);
  });
});
