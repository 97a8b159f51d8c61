import { tmpdir } from "node:os";
import { expect, test } from "vitest";
import { KILLS } from "../amount.ts";
import { DaemonKind } from "./daemon-process.ts";
import { killPools } from "./runs.ts";
import { PRIMARIES } from "./supervisor.ts";
import { FULL_SECTORS } from "./windows.ts";

test("the daemon as it is installed loses nothing that was acknowledged when it is killed", async () => {
  const wanted = Math.ceil(KILLS / 10);
  const kills = await killPools(
    tmpdir(),
    wanted,
    () => new DaemonKind(PRIMARIES, FULL_SECTORS * 512),
  );
  console.log(`${kills} kills of the daemon`);
  expect(kills).toBeGreaterThanOrEqual(wanted);
});
