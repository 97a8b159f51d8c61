import { spawnSync } from "node:child_process";
import { join } from "node:path";

/** Compiles the program that is killed: it is started hundreds of times, which a compiler in between would slow down. */
export default function buildProgram(): void {
  const top = join(import.meta.dirname, "../..");
  const compiler = join(top, "node_modules/typescript/bin/tsc");
  const folder = join(import.meta.dirname, "program");
  const { status } = spawnSync(process.execPath, [compiler, "-p", folder], {
    cwd: top,
    stdio: "inherit",
  });
  if (status !== 0) throw new Error("the program that is to be killed was not built");
}
