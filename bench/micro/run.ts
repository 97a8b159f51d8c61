import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { machineText, thisMachine } from "../machine.ts";
import { UsageError } from "../options.ts";
import { MICRO_BENCHES } from "./benches.ts";
import { type MicroBench, type MicroRow, runBench } from "./runner.ts";

const USAGE = "npm run bench -- micro [NAME...] [--seconds S] [--json FILE]";
const SECONDS = 1;
const NAME_WIDTH = 62;

/** A whole number with a point between thousands, or three digits where it is small. */
function figure(value: number): string {
  return value >= 100
    ? Math.round(value).toLocaleString("en-US")
    : value.toPrecision(3).replace(/\.?0+$/, "");
}

const HEADING = [
  "".padEnd(NAME_WIDTH),
  "ops/s".padStart(14),
  "ns each".padStart(12),
  "at best".padStart(12),
  "+-".padStart(7),
  "GB/s".padStart(7),
].join(" ");

export function microLine(row: MicroRow): string {
  const { gigabytesPerSecond: rate, marginPercent: margin } = row;
  const cells = [
    row.name.padEnd(NAME_WIDTH),
    figure(row.operationsPerSecond).padStart(14),
    figure(row.nanoseconds).padStart(12),
    figure(row.leastNanoseconds).padStart(12),
    (margin === null ? "" : `${margin.toFixed(1)}%`).padStart(7),
    (rate === null ? "" : rate.toFixed(2)).padStart(7),
  ];
  return `${cells.join(" ").trimEnd()}${row.note === null ? "" : `  ${row.note}`}`;
}

/** The benches of these names; all where there are none. Throws where a name is none of theirs. */
export function chosenBenches(names: readonly string[]): readonly MicroBench[] {
  for (const name of names) {
    if (MICRO_BENCHES.some((bench) => bench.name === name)) continue;
    const known = MICRO_BENCHES.map((bench) => bench.name).join(", ");
    throw new Error(`no bench ${name}; there are ${known}`);
  }
  return MICRO_BENCHES.filter(({ name }) => names.length === 0 || names.includes(name));
}

interface MicroArguments {
  readonly benches: readonly MicroBench[];
  readonly seconds: number;
  readonly jsonFile: string | null;
}

/** Throws `UsageError`. */
export function parseMicroArguments(args: readonly string[]): MicroArguments {
  const text = { type: "string" } as const;
  const options = { seconds: text, json: text };
  try {
    const { positionals, values } = parseArgs({ args: [...args], allowPositionals: true, options });
    const seconds = values.seconds === undefined ? SECONDS : Number(values.seconds);
    if (!(seconds > 0 && seconds < Infinity)) throw new Error("--seconds takes a number above 0");
    return { benches: chosenBenches(positionals), seconds, jsonFile: values.json ?? null };
  } catch (error) {
    throw new UsageError(`${(error as Error).message}\n${USAGE}`);
  }
}

export async function runMicroBench(args: readonly string[]): Promise<void> {
  const { benches, seconds, jsonFile } = parseMicroArguments(args);
  const machine = thisMachine();
  process.stdout.write(`${machineText(machine)}, ${seconds} s each\n${HEADING}\n`);
  const rows: MicroRow[] = [];
  for (const bench of benches) {
    process.stdout.write(`${bench.name}: ${bench.about}\n`);
    const options = { seconds, isBrief: false };
    const report = (row: MicroRow): void => void process.stdout.write(`  ${microLine(row)}\n`);
    rows.push(...(await runBench(bench, options, report)));
  }
  if (jsonFile === null) return;
  writeFileSync(jsonFile, `${JSON.stringify({ machine, rows }, undefined, 2)}\n`);
}
