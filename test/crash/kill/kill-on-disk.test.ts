import { tmpdir } from "node:os";
import { expect, test } from "vitest";
import { KILLS } from "../amount.ts";
import { killPools } from "./runs.ts";

test("a daemon on a disk that is killed loses nothing that was acknowledged", async () => {
  const wanted = Math.floor(KILLS * 0.45);
  const kills = await killPools(tmpdir(), wanted);
  console.log(`${kills} kills on a disk`);
  expect(kills).toBeGreaterThanOrEqual(wanted);
});
