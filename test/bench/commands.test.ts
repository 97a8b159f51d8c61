import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

const top = join(import.meta.dirname, "..", "..");
const USAGE_STATUS = 2;

/** As `npm run bench -- ARGS` without the build. */
function bench(...args: readonly string[]): {
  readonly status: number | null;
  readonly said: string;
} {
  const file = join(top, "bench", "run.ts");
  const run = spawnSync(process.execPath, ["--import", "tsx", file, ...args], {
    cwd: top,
    encoding: "utf8",
  });
  return { status: run.status, said: run.stdout + run.stderr };
}

describe("npm run bench", () => {
  it("has commands of its own for single parts and for reports, and names them", () => {
    const help = bench("--help");
    expect(help.status).toBe(0);
    for (const word of ["-- engine ", "-- micro ", "-- report ", "--html FILE", "--json FILE"]) {
      expect(help.said).toContain(word);
    }
  });

  it.each([
    [["micro", "speed"], "no bench speed; there are crc32c, framing, "],
    [["micro", "--rounds", "5"], "npm run bench -- micro [NAME...]"],
    [["report"], "npm run bench -- report RESULT.json --html FILE"],
  ])("says what is wrong with %j", (args, expected) => {
    const { status, said } = bench(...args);
    expect(said).toContain(expected);
    expect(status).toBe(USAGE_STATUS);
  });
});
