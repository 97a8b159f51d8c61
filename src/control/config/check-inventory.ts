import { Document, LineCounter } from "yaml";
import { checkTogether } from "./checks.ts";
import type { Config } from "./config.ts";
import { collisionsOf, type Inventory, merged } from "./inventory.ts";
import { Report } from "./report.ts";

/** What is wrong with what commands want beside a configuration, a sentence each; empty when all fits together. */
export function checkInventory(config: Config, inventory: Inventory): readonly string[] {
  const collisions = collisionsOf(config, inventory);
  if (collisions.length > 0) {
    return collisions.map((what) => `${what} is in the configuration already: change it there`);
  }
  const report = new Report({
    document: new Document(),
    lines: new LineCounter(),
    folder: "/",
    readSecretFile: () => {
      throw new Error("an inventory points to no files");
    },
  });
  const all = merged(config, inventory);
  report.setNames("pools", [...all.pools.keys()]);
  report.setNames("volumes", [...all.volumes.keys()]);
  checkTogether(all, report);
  return [...checkNumbers(all), ...report.problems.map(({ message }) => message)];
}

/** Of the problems that there are, those that were not there before. */
export function addedProblems(
  before: readonly string[],
  after: readonly string[],
): readonly string[] {
  const known = [...before];
  return after.filter((problem) => {
    const index = known.indexOf(problem);
    if (index !== -1) known.splice(index, 1);
    return index === -1;
  });
}

/** Targets that share a number, a sentence each. */
export function checkNumbers({ targets }: Pick<Config, "targets">): readonly string[] {
  const nameOfTid = new Map<number, string>();
  const problems: string[] = [];
  for (const { tid, name } of targets) {
    if (tid === null) continue;
    const other = nameOfTid.get(tid);
    if (other !== undefined) problems.push(`${name} has the number ${tid} of ${other}`);
    nameOfTid.set(tid, name);
  }
  return problems;
}
