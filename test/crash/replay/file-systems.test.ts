import { expect, test } from "vitest";
import { chooseSeed } from "../../../src/util/random.ts";
import { hasProgram } from "../../support/debian-packages.ts";
import { REPLAYS } from "../amount.ts";
import { replayFileSystem } from "./file-system-replay.ts";
import { EXT4, XFS } from "./file-system-stages.ts";

const MIB = 1024 * 1024;
const seed: number = chooseSeed(process.env);
const cutsPerStage: number = Math.max(2, Math.min(8, Math.floor(REPLAYS / 1000)));

for (const kind of [EXT4, XFS]) {
  const canRun = kind.programs.every(hasProgram);
  test.runIf(canRun)(`a file system of ${kind.name} is sound after every flush`, async () => {
    const shape = { devices: [160 * MIB, 100 * MIB], extentBytes: 64 * 1024, journalBytes: MIB };
    const report = await replayFileSystem({ kind, shape, seed, cutsPerStage });
    console.log(report);
    expect(report).toContain("file systems checked");
  });
}
