import type { BenchResult, LoadShape, Placement, ResultRow } from "../result.ts";

/** Classes of the style: one colour each. The first is ours, the last is for bounds and all that come too late. */
const OTHERS = ["s1", "s2", "s3", "s4", "s5"];
const OURS = "s0";
const THE_REST = "s6";

export const OUR_NAME = "thinlun";

/** The colour of a peer: the same in all plots of a report. */
export function colourOf(result: BenchResult, peer: string): string {
  if (peer === OUR_NAME) return OURS;
  const targets = result.peers.filter(({ name, role }) => name !== OUR_NAME && role === "target");
  return OTHERS[targets.findIndex(({ name }) => name === peer)] ?? THE_REST;
}

export function loadById(result: BenchResult, id: string): LoadShape | undefined {
  return result.loads.find((load) => load.id === id);
}

export function titleOfLoad(result: BenchResult, id: string): string {
  return loadById(result, id)?.title ?? id;
}

/** Where the scheduler decides, as everywhere else, nothing is said. */
export function placementNote(placement: Placement): string {
  return placement === "free" ? "" : `, ${placement}`;
}

export function generatorNote(generator: string): string {
  return generator === OUR_NAME ? "" : ` (${generator})`;
}

type RowName = Pick<ResultRow, "peer" | "placement" | "generator">;

/** A line of a plot or table of one load: "tgtd, pinned (fio)". */
export function nameOfRow(row: RowName): string {
  const { peer, placement, generator } = row;
  return `${peer}${placementNote(placement)}${isOwnGenerator(row) ? "" : ` (${generator})`}`;
}

/** What drives the peers of other protocols cannot be anything else. */
function isOwnGenerator({ generator }: RowName): boolean {
  return generator === OUR_NAME || generator === "nbd" || generator === "echo";
}

export function rowsOfLoad(result: BenchResult, load: string): ResultRow[] {
  return result.rows.filter((row) => row.load === load);
}
