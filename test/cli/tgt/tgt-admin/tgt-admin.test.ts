import { describe, expect, it } from "vitest";
import { goldenTranscripts } from "./golden.ts";
import { PLAYS, shownTarget } from "./plays.ts";
import { inOneOrder, playOurs } from "./stage.ts";

describe("tgt-admin", () => {
  const golden = goldenTranscripts();
  it.each(Object.entries(PLAYS))("does as the script of tgt did: %s", async (name, play) => {
    expect(inOneOrder(await playOurs(play))).toEqual(golden[name]);
  });

  // The script has `--op new` for iqn.a in both of these, which tgtd refuses, and ends with status 22.
  const stage = {
    files: { "/stage/t.conf": "<target iqn.a>\n  backing-store /stage/a.img\n</target>\n" },
    shows: { target: shownTarget(1, "iqn.a", { stores: ["/stage/a.img"] }) },
  };

  it("makes nothing once more that is there, where --update ALL stands beside -e", async () => {
    const words = ["-c", "/stage/t.conf", "-e", "--update", "ALL"];
    expect(await playOurs({ words, ...stage })).toMatchObject({ status: 0, commands: [] });
  });

  it("makes nothing once more that is there, where --update has an empty name", async () => {
    const words = ["-c", "/stage/t.conf", "--update", ""];
    const { status, stdout, commands } = await playOurs({ words, ...stage });
    expect({ status, commands }).toEqual({ status: 1, commands: [] });
    expect(stdout).toBe(
      "Target  is currently not configured\nand does not exist in the config file - can't continue!\n",
    );
  });
});
