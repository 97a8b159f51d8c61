import { spawn } from "node:child_process";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { chooseSeed } from "../../src/util/random.ts";
import type { Exploration } from "../model/explorer.ts";
import { planOf, report } from "../model/run.ts";
import { crashStates } from "../model/walk.ts";

const top = join(import.meta.dirname, "../..");
const UINT32_RANGE = 2 ** 32;

/** The walks of two processes never meet: no walk is as long as what lies between their seeds. */
const PROCESSES = Math.min(8, availableParallelism());
const SEEDS_APART = Math.floor(UINT32_RANGE / PROCESSES);

const { states, seed } = planOf([], {
  ...process.env,
  THINLUN_SEED: String(chooseSeed(process.env)),
});

it(`keeps the ordering rules in ${states} crash states (THINLUN_SEED=${seed})`, async () => {
  const begun = performance.now();
  const parts = Array.from({ length: PROCESSES }, (_, index) => {
    return exploreApart(Math.ceil(states / PROCESSES), (seed + index * SEEDS_APART) % UINT32_RANGE);
  });
  const explorations = await Promise.all(parts);
  const seconds = (performance.now() - begun) / 1000;
  for (const exploration of explorations) {
    console.log(report(exploration, seconds));
    expect(exploration.finding, report(exploration, seconds)).toBeUndefined();
  }
  const walked = explorations.reduce((sum, { total }) => sum + crashStates(total), 0);
  console.log(`${walked} crash states in ${PROCESSES} processes, ${seconds.toFixed(0)} s`);
  expect(walked).toBeGreaterThanOrEqual(states);
});

/** A walk in a process of its own, so that all processors have one. */
function exploreApart(count: number, from: number): Promise<Exploration> {
  const args = ["--states", String(count), "--seed", String(from), "--json"];
  const script = join(top, "test/model/run.ts");
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ["--import", "tsx", script, ...args], {
      cwd: top,
      stdio: ["ignore", "pipe", "inherit"],
    });
    const chunks: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
    child.once("error", reject);
    child.once("close", (code) => {
      const text = Buffer.concat(chunks).toString();
      if (text.startsWith("{")) resolve(JSON.parse(text) as Exploration);
      else reject(new Error(`the walk from seed ${from} ended with status ${code}: ${text}`));
    });
  });
}
