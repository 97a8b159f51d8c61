import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { installPackages } from "./debian-packages.ts";

/** What the native addon is built with. It is optional: without them `npm ci` leaves it out, and says nothing. */
const BUILD_PACKAGES = ["g++", "make", "python3"];

/** Whether fs-ext is there and loads in this version of Node.js. */
export function hasFsExt(): boolean {
  try {
    createRequire(import.meta.url)("fs-ext");
    return true;
  } catch {
    return false;
  }
}

/** Node's own headers, where they lie beside it; otherwise they are downloaded for the build. */
function environment(): NodeJS.ProcessEnv {
  const prefix = dirname(dirname(process.execPath));
  const hasHeaders = existsSync(join(prefix, "include", "node", "node.h"));
  return { ...process.env, ...(hasHeaders ? { npm_config_nodedir: prefix } : {}) };
}

/**
 * Installs what fs-ext is built with, and builds it.
 * @param top the folder of package.json; neither that nor the lock file is changed
 * @returns what went wrong, or undefined
 */
export function installFsExt(top: string): string | undefined {
  const complaint = installPackages(BUILD_PACKAGES);
  if (complaint !== undefined) return complaint;
  const { optionalDependencies } = createRequire(import.meta.url)(join(top, "package.json")) as {
    optionalDependencies: Record<string, string>;
  };
  const args = ["install", "--no-save", "--no-audit", "--no-fund"];
  const run = spawnSync("npm", [...args, `fs-ext@${optionalDependencies["fs-ext"]}`], {
    cwd: top,
    encoding: "utf8",
    env: environment(),
    maxBuffer: 64 << 20,
  });
  return run.status === 0 ? undefined : `npm install fs-ext\n${run.stdout}${run.stderr}`;
}
