import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const top = join(import.meta.dirname, "../..");

/**
 * Compiles the program that is killed: it is started hundreds of times, which a compiler in between would slow down. Each run of the tests
 * has its own copy, so that none changes under another.
 */
export default function buildProgram(): () => void {
  const dist = join(top, "dist");
  mkdirSync(dist, { recursive: true });
  const folder = mkdtempSync(join(dist, "crash-test-"));
  const compiler = join(top, "node_modules/typescript/bin/tsc");
  const project = dirname(fileURLToPath(new URL("./program/pool-program.ts", import.meta.url)));
  const args = [compiler, "-p", project, "--outDir", folder];
  const { status } = spawnSync(process.execPath, args, { cwd: top, stdio: "inherit" });
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  if (status !== 0) {
    remove();
    throw new Error("the program that is to be killed was not built");
  }
  process.env["THINLUN_CRASH_PROGRAM"] = folder;
  return remove;
}
