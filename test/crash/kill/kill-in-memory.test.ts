import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { expect, test } from "vitest";
import { KILLS } from "../amount.ts";
import { killPools } from "./runs.ts";

const MEMORY_FOLDER = "/dev/shm";

test("a daemon in a file system in memory that is killed loses nothing that was acknowledged", async () => {
  const wanted = Math.ceil(KILLS * 0.45);
  const kills = await killPools(existsSync(MEMORY_FOLDER) ? MEMORY_FOLDER : tmpdir(), wanted);
  console.log(`${kills} kills in memory`);
  expect(kills).toBeGreaterThanOrEqual(wanted);
});
