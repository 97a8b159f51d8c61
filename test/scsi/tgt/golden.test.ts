import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { commonTextOf, commonTextOfGolden, ourAnswers } from "./answers.ts";

const GOLDEN = join(import.meta.dirname, "golden", "answers.txt");

describe("units as they come from tgt", () => {
  it("answer over iSCSI what tgtd's did, byte for byte where names are made of it", async () => {
    const ours = commonTextOf(await ourAnswers());
    expect(ours).toBe(commonTextOfGolden(readFileSync(GOLDEN, "utf8")));
  });
});
