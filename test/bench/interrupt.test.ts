import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { BenchResult } from "../../bench/result.ts";

const TOP = join(import.meta.dirname, "..", "..");
const SHARED_MEMORY = "/dev/shm";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "thinlun-test-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function startBench(...args: string[]) {
  const program = join(TOP, "bench", "run.ts");
  const env = { ...process.env, TMPDIR: folder };
  const child = spawn(process.execPath, ["--import", "tsx", program, ...args], { cwd: TOP, env });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
  }
  return { child, output: () => output };
}

/** The ids of the processes that this one has started and that still run. */
function childrenOf(pid: number): string[] {
  const file = `/proc/${pid}/task/${pid}/children`;
  return readFileSync(file, "utf8").trim().split(" ").filter(Boolean);
}

/** What a run keeps in memory and in its folder of temporary files. */
function filesOf(pid: number | undefined): string[] {
  const mine = (name: string): boolean => name.startsWith(`thinlun-bench-${pid}-`);
  const memory = existsSync(SHARED_MEMORY) ? readdirSync(SHARED_MEMORY).filter(mine) : [];
  return [...memory, ...readdirSync(folder).filter(mine)];
}

async function until(condition: () => boolean, what: string): Promise<void> {
  for (let attempt = 0; attempt < 1000; attempt += 1) {
    if (condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`${what}: not in time`);
}

describe("the command", () => {
  it("writes down what was measured, and leaves nothing behind", async () => {
    const json = join(folder, "result.json");
    const load = ["--only", "tcp-echo,4k-random-read-d32", "--rounds", "2", "--seconds", "0.05"];
    const { child, output } = startBench("--json", json, ...load);
    const [status] = (await once(child, "exit")) as [number | null];
    expect(output()).toContain("4 KiB random read, depth 32\n");
    expect(status).toBe(0);
    const result = JSON.parse(readFileSync(json, "utf8")) as BenchResult;
    expect(result).toMatchObject({ version: 2, isPartial: false, rounds: 2, earlier: null });
    expect(result.peers).toMatchObject([{ name: "tcp-echo", role: "bound", state: "measured" }]);
    expect(result.loads.map(({ id }) => id)).toEqual(["4k-random-read-d32"]);
    expect(result.rows[0]?.samples).toHaveLength(2);
    expect(result.rows[0]?.medians?.operationsPerSecond).toBeGreaterThan(0);
    expect(filesOf(child.pid)).toEqual([]);
    // And it can be compared with.
    const again = startBench("--compare", json, ...load);
    await once(again.child, "exit");
    expect(again.output()).toContain(`beside the run of ${result.when}`);
  });

  it("ends its children and removes its files when it is interrupted", async () => {
    const json = join(folder, "result.json");
    const load = ["--only", "tcp-echo,4k-random-read-d32", "--seconds", "60"];
    const { child, output } = startBench("--json", json, ...load);
    const pid = child.pid ?? 0;
    // The echo, and the load.
    await until(() => childrenOf(pid).length === 2, "the load runs");
    const children = childrenOf(pid);
    expect(filesOf(pid)).toHaveLength(2);
    child.kill("SIGINT");
    const [status] = (await once(child, "exit")) as [number | null];
    expect(status, output()).toBe(130);
    for (const one of children) {
      await until(() => !existsSync(`/proc/${one}`), `the end of ${one}`);
    }
    expect(filesOf(child.pid)).toEqual([]);
    const result = JSON.parse(readFileSync(json, "utf8")) as BenchResult;
    expect(result.isPartial).toBe(true);
    expect(result.rows).toMatchObject([{ samples: [], failure: "interrupted" }]);
  });

  it("says what is wrong with its words", async () => {
    const { child, output } = startBench("--only", "nothing");
    const [status] = (await once(child, "exit")) as [number | null];
    expect(status).toBe(2);
    expect(output()).toBe("--only knows no nothing; --list says what it knows\n");
  });
});
