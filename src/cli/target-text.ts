import type { LunReport, TargetReport } from "../control/protocol.ts";
import { accessOfLun, lunText, sizeOfLun } from "./lun-text.ts";
import { formatTable } from "./table.ts";

/** What is left of 80 columns behind the name of a fact. */
const FACT_WIDTH = 67;

/** Such as "1 LUN", "2 LUNs". */
export function counted(count: number, one: string): string {
  return `${count} ${one}${count === 1 ? "" : "s"}`;
}

/** Who is let in, in one word or two. */
export function admission({ access, authentication }: TargetReport): string {
  const rules = access.addresses.length + access.initiators.length;
  const who = rules === 0 ? "everybody" : counted(rules, "rule");
  return authentication === null ? who : `${who}, CHAP`;
}

/** Targets, a line each. */
export function targetTable(targets: readonly TargetReport[]): string {
  if (targets.length === 0) {
    return "There are none. To make one: thinlun target create\n";
  }
  return formatTable(
    [
      { heading: "NAME" },
      { heading: "STATE" },
      { heading: "LUNS", isNumber: true },
      { heading: "SESSIONS", isNumber: true },
      { heading: "LETS IN" },
      { heading: "FROM" },
      { heading: "ALIAS" },
    ],
    targets.map((target) => [
      target.name,
      target.redirect === null ? target.state : "redirects",
      String(target.luns.length),
      String(target.sessionCount),
      admission(target),
      target.origin,
      target.alias ?? "",
    ]),
  );
}

/** LUNs, a line each. */
export function lunTable(luns: readonly LunReport[]): string {
  if (luns.length === 0) return "There are none. To make one: thinlun target map\n";
  return formatTable(
    [
      { heading: "LUN", isNumber: true },
      { heading: "VOLUME" },
      { heading: "SIZE", isNumber: true },
      { heading: "BLOCK", isNumber: true },
      { heading: "ACCESS" },
      { heading: "TARGET" },
    ],
    luns.map((lun) => [
      String(lun.lun),
      lun.volume,
      sizeOfLun(lun),
      String(lun.blockBytes),
      accessOfLun(lun),
      lun.target,
    ]),
  );
}

function listed(values: readonly string[], none: string): string {
  return values.length === 0 ? none : values.join(", ");
}

function pingsText(interval: number | null, count: number | null): string {
  if (interval === 0) return "initiators are never asked whether they live";
  const often = count === null ? "as often as usual" : `${count} times`;
  return `${often}, after ${interval === null ? "the usual" : `${interval} s of`} silence each`;
}

/** Words in as many rows as a terminal of 80 columns takes for them. */
function folded(key: string, words: readonly string[]): (readonly [string, string])[] {
  const rows: (readonly [string, string])[] = [];
  let line = "";
  for (const word of words) {
    if (line !== "" && line.length + word.length >= FACT_WIDTH) {
      rows.push([rows.length === 0 ? key : "", line]);
      line = "";
    }
    line = line === "" ? word : `${line} ${word}`;
  }
  return [...rows, [rows.length === 0 ? key : "", line]];
}

/** Everything of one target. */
export function targetText(target: TargetReport): string {
  const { access, authentication, redirect, parameters } = target;
  const rows: (readonly [string, string])[] = [
    ["state", target.state],
    ["made by", target.origin],
    ["sessions", `${target.sessionCount}, at most ${target.sessionsMax}`],
    ["addresses", listed(access.addresses, "all")],
    ["initiators", listed(access.initiators, "all")],
    [
      "portals",
      listed(
        target.portalGroups.map((group) => `group ${group}`),
        "all",
      ),
    ],
  ];
  if (target.alias !== null) rows.unshift(["alias", target.alias]);
  if (access.addresses.length > 0 && access.initiators.length > 0) {
    rows.push(["match", access.match === "all" ? "address and name" : "address or name"]);
  }
  if (authentication === null) rows.push(["CHAP", "not asked for"]);
  else rows.push(["CHAP", `users ${listed(authentication.users, "none")}`]);
  if (authentication !== null && authentication.mutual !== null) {
    const must = authentication.mutualRequired ? "; initiators have to ask for it" : "";
    rows.push(["proves", `itself as ${authentication.mutual}${must}`]);
  }
  if (redirect !== null) rows.push(["redirect", `to ${redirect.address}`]);
  const { interval, count } = target.pings;
  if (interval !== null || count !== null) rows.push(["pings", pingsText(interval, count)]);
  const offers = Object.entries(parameters).map(([name, value]) => `${name}=${value}`);
  rows.push(...folded("offers", offers));
  const facts = rows.map(([key, value]) => `  ${key.padEnd(10)} ${value}\n`).join("");
  const luns = target.luns.map((lun) => `  ${lunText(lun)}`);
  return `target ${target.name}\n${facts}${luns.join("")}`;
}
