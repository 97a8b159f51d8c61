import type { BenchResult, GeneratorState, PeerState, RowMedians } from "../result.ts";
import { figure, isFigure, mebibytes, NOTHING, percent } from "./figures.ts";
import { markup, type Markup } from "./markup.ts";
import { colourOf, nameOfRow, titleOfLoad } from "./series.ts";

/** From here on it was the generator that was measured as much as the target. */
const GENERATOR_BUSY_SHARE = 0.95;
/** More ready threads than this for each CPU before the run: somebody else was at work. */
const LOAD_AVERAGE_SHARE = 0.5;
const SECONDS_PER_MINUTE = 60;

/** Which machine, when and how: without these no figure says anything. */
export function machineSection(result: BenchResult): Markup {
  const { machine, options, loadAverage } = result;
  const line = (name: string, value: string): Markup =>
    markup`<tr><th>${name}</th><td>${value}</td></tr>\n`;
  const rounds = `${result.rounds} rounds of ${figure(options.secondsPerSample)} s, in turns`;
  const only = options.only.length === 0 ? "all loads" : `only ${options.only.join(", ")}`;
  return markup`<h2>Machine and versions</h2>
<div class="scroll"><table><tbody>
${line("Processor", `${machine.cpuModel}, ${machine.cpuCount} CPUs, ${machine.architecture}`)}${line("Memory", `${mebibytes(machine.memoryBytes)} MiB`)}${line("System", machine.kernel)}${line("Node.js", machine.node)}${line("Begun", result.when)}${line("Took", duration(result.elapsedSeconds))}${line("Rounds", `${rounds}; ${only}`)}${line("Load average", `${figure(loadAverage[0])} before, ${figure(loadAverage[1])} after`)}</tbody></table></div>
<div class="scroll"><table>
<thead><tr><th>Peer</th><th>Version</th><th>Protocol</th><th>Role</th><th>State</th></tr></thead>
<tbody>${result.peers.map((peer) => peerRow(result, peer))}</tbody></table></div>
${generatorTable(result.generators)}`;
}

function generatorTable(generators: readonly GeneratorState[]): Markup | null {
  if (generators.length === 0) return null;
  const rows = generators.map(({ name, version, absent }) => {
    const state = absent === null ? "used" : `absent: ${absent}`;
    return markup`<tr><td>${name}</td><td>${version ?? NOTHING}</td><td class="${absent === null ? "met" : "unmeasured"}">${state}</td></tr>\n`;
  });
  return markup`<p>Bars are of this project\u2019s own generator. These are programs of others that put some of the loads on the same targets, so that it need not be believed.</p>
<div class="scroll"><table>
<thead><tr><th>Generator</th><th>Version</th><th>State</th></tr></thead>
<tbody>${rows}</tbody></table></div>
`;
}

function peerRow(result: BenchResult, peer: PeerState): Markup {
  const { name, version, protocol, role, state, reason } = peer;
  const why = reason === null ? "" : `: ${reason}`;
  return markup`<tr><td><span class="key ${colourOf(result, name)}"></span>${name}</td><td>${version ?? NOTHING}</td><td>${protocol}</td><td>${role === "bound" ? "bound of the machine" : "target"}</td><td class="${state === "measured" ? "met" : "unmeasured"}">${state}${why}</td></tr>
`;
}

function duration(seconds: number): string {
  if (!isFigure(seconds)) return NOTHING;
  const minutes = Math.floor(seconds / SECONDS_PER_MINUTE);
  const rest = Math.round(seconds - minutes * SECONDS_PER_MINUTE);
  return minutes > 0 ? `${minutes} min ${rest} s` : `${rest} s`;
}

/** What has to be known before anything is believed. */
export function warnings(result: BenchResult): Markup[] {
  const said: string[] = [];
  if (result.isPartial) said.push("The run was interrupted: some loads or rounds are missing.");
  if (result.options.isQuick) {
    said.push("A quick run: it shows that everything runs, and says nothing about speed.");
  }
  const [before] = result.loadAverage;
  const { cpuCount } = result.machine;
  if (isFigure(before) && before > cpuCount * LOAD_AVERAGE_SHARE) {
    said.push(`The machine was busy before the run began: load average ${figure(before)}.`);
  }
  const busy = result.rows.filter(({ medians }) => isGeneratorBusy(medians));
  if (busy.length > 0) {
    const names = busy.map((row) => `${titleOfLoad(result, row.load)} on ${nameOfRow(row)}`);
    const share = percent(GENERATOR_BUSY_SHARE);
    said.push(
      `The load generator used ${share} of a CPU or more, so that it was measured, too: ${names.join("; ")}.`,
    );
  }
  return said.map((text) => markup`<p class="note">${text}</p>\n`);
}

function isGeneratorBusy(medians: RowMedians | null): boolean {
  const share = medians?.generatorCpuShare;
  return isFigure(share) && share >= GENERATOR_BUSY_SHARE;
}
