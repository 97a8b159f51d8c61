import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { assignLuns } from "../../../src/cli/tgt/targets-conf-luns.ts";
import type { StoreWanted } from "../../../src/cli/tgt/targets-conf-store.ts";
import { readTargetsConf } from "../../../src/cli/tgt/targets-conf.ts";
import { chooseSeed, SeededRandom } from "../../../src/util/random.ts";
import { memoryFiles } from "./config-general-memory.ts";

const TARGETS = 60;
const STORES = ["a", "b", "B", "c", "d10", "d2", "e"];

const TGT_ADMIN = "/usr/sbin/tgt-admin";

/** With --pretend, tgt-admin asks the daemon of this port what it has, and only prints what it would do. There is none. */
const CONTROL_PORT = "31999";

const seed = chooseSeed(process.env);
const top = mkdtempSync(join(tmpdir(), "thinlun-targets-conf-"));
const present = new Set(STORES.filter((name) => name !== "c").map((name) => join(top, name)));

afterAll(() => rmSync(top, { recursive: true, force: true }));

/** Whether this is the script of the distribution, not what took its place. */
function isTgtAdmin(path: string): boolean {
  return existsSync(path) && readFileSync(path, "utf8").startsWith("#!/usr/bin/perl");
}

function targetText(random: SeededRandom, index: number): string {
  const free = [1, 2, 3, 4, 5, 9];
  const isPlain = random.chance(0.3);
  const order = [...STORES].sort(() => random.below(3) - 1).slice(random.below(STORES.length));
  const stores = order.map((name) => {
    if (isPlain) return `backing-store ${join(top, name)}`;
    const lun = random.chance(0.4)
      ? `lun ${free.splice(random.below(free.length), 1)[0] ?? 20}`
      : "";
    return `<backing-store ${join(top, name)}>\n${lun}\n</backing-store>`;
  });
  return `<target iqn.${String(index).padStart(2, "0")}>\n${stores.join("\n")}\n</target>\n`;
}

/** "path=lun" of all logical units that tgt-admin would make, in its order. */
function theirUnits(file: string): string[] {
  const args = ["--pretend", "--execute", "--force", "-C", CONTROL_PORT, "-c", file];
  const { stdout } = spawnSync(TGT_ADMIN, args, { encoding: "utf8" });
  const made = stdout.matchAll(/--op new --mode logicalunit .*--lun (\d+) -b "([^"]*)"/g);
  return [...made].map(([, lun, path]) => `${basename(path ?? "")}=${lun}`);
}

function ourUnits(text: string): string[] {
  const { conf } = readTargetsConf("/t", memoryFiles({ "/t": text }));
  const isLeftOut = ({ path }: StoreWanted): boolean => !present.has(path);
  return conf.targets.flatMap((target) =>
    assignLuns(target, isLeftOut).map(({ store, lun }) => `${basename(store.path)}=${lun}`),
  );
}

const canCompare = process.getuid?.() === 0 && isTgtAdmin(TGT_ADMIN);

describe(`the logical units of generated targets (THINLUN_SEED=${seed})`, () => {
  const needed = canCompare ? "" : " (needs tgt-admin, and the superuser for it)";

  it.skipIf(!canCompare)(`have the order and numbers that tgt-admin gives them${needed}`, () => {
    const random = new SeededRandom(seed);
    const text = Array.from({ length: TARGETS }, (_, index) => targetText(random, index)).join("");
    for (const path of present) writeFileSync(path, "");
    const file = join(top, "targets.conf");
    writeFileSync(file, text);
    const theirs = theirUnits(file);
    expect(theirs.length).toBeGreaterThan(TARGETS);
    expect(ourUnits(text), text).toEqual(theirs);
  });
});
