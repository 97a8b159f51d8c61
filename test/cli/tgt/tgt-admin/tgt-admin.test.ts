import { describe, expect, it } from "vitest";
import { goldenTranscripts } from "./golden.ts";
import { PLAYS } from "./plays.ts";
import { inOneOrder, playOurs } from "./stage.ts";

describe("tgt-admin", () => {
  const golden = goldenTranscripts();
  it.each(Object.entries(PLAYS))("does as the script of tgt did: %s", async (name, play) => {
    expect(inOneOrder(await playOurs(play))).toEqual(golden[name]);
  });
});
