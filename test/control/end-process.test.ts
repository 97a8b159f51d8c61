import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { spawnMortal } from "../support/mortal-child.ts";

const top = join(import.meta.dirname, "..", "..");
const folder = mkdtempSync(join(tmpdir(), "thinlun-end-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs statements, then ends by `endProcess(1)`: exit status, signal and last words. */
async function ending(statements: string): Promise<unknown[]> {
  const script = `
    import fs from "node:fs";
    import { endProcess } from "${join(top, "src", "control", "end-process.ts")}";
    ${statements}
    setTimeout(() => endProcess(1, () => process.stdout.write("bye")), 100);
    setInterval(() => undefined, 1000);`;
  const tsx = join(top, "node_modules", "tsx", "dist", "loader.mjs");
  const args = ["--import", tsx, "--input-type=module", "--eval", script];
  const child = spawnMortal(process.execPath, args);
  let output = "";
  child.stdout?.on("data", (chunk: Buffer) => (output += chunk.toString()));
  return [...((await once(child, "close")) as unknown[]), output];
}

describe("endProcess", () => {
  it("ends with the status that it was given", async () => {
    expect(await ending("")).toEqual([1, null, "bye"]);
  });

  it("ends although a call never comes back, as on a disk that is stuck", async () => {
    const pipe = join(folder, "pipe");
    execFileSync("mkfifo", [pipe]);
    // Opening a pipe that nobody writes to takes a thread of the pool and keeps it.
    const end = await ending(`fs.open("${pipe}", "r", () => undefined);`);
    expect(end).toEqual([null, "SIGKILL", "bye"]);
  });
});
