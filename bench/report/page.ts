import { type BenchResult, RESULT_VERSION } from "../result.ts";
import { times } from "./figures.ts";
import { loadSections } from "./loads.ts";
import { machineSection, warnings } from "./machine.ts";
import { markup, type Markup } from "./markup.ts";
import { ratioPlot } from "./ratio-plot.ts";
import { nameOfRow, OUR_NAME, titleOfLoad } from "./series.ts";
import { STYLE } from "./style.ts";
import { barsSection, ratioTable } from "./verdicts.ts";

/**
 * The report of a run as one HTML file: without scripts, and with nothing that has to be loaded from elsewhere. Whatever the result says is
 * shown as text. Throws where it is of another version.
 */
export function htmlReport(result: BenchResult): string {
  // A file is not bound by the type.
  const version: unknown = result.version;
  if (version !== RESULT_VERSION) {
    throw new Error(
      `a result of version ${String(version)}; this report is for version ${RESULT_VERSION}`,
    );
  }
  const title = `${OUR_NAME} beside its peers, ${result.when}`;
  const page = markup`<html xmlns="http://www.w3.org/1999/xhtml" lang="en">
<head>
<meta charset="utf-8"/>
<meta name="viewport" content="width=device-width, initial-scale=1"/>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'"/>
<title>${title}</title>
<style>${STYLE}</style>
</head>
<body>
<h1>${OUR_NAME} beside its peers</h1>
<p class="soft">${result.when}, ${result.machine.cpuModel}, ${result.machine.cpuCount} CPUs, Node.js ${result.machine.node}</p>
${warnings(result)}${barsSection(result)}${ratioSections(result)}${loadSections(result)}${earlierSection(result)}${machineSection(result)}</body>
</html>
`;
  return `<!DOCTYPE html>\n${page.text}`;
}

function ratioSections(result: BenchResult): Markup[] {
  const peers = new Set(result.comparisons.map(({ theirs }) => theirs));
  return Array.from(peers, (theirs) => {
    const hasBars = result.bars.some((bar) => bar.theirs === theirs && bar.figure === "rate");
    const bars = hasBars
      ? " The short thick line is what is asked for, the diamond what SPDK\u2019s target reached against the same peer elsewhere."
      : "";
    return markup`<h2>${OUR_NAME} by ${theirs}</h2>
<p>Filled: the scheduler places both ends; hollow: each is pinned to a CPU.${bars}</p>
${ratioPlot(result, theirs)}${ratioTable(result, theirs)}`;
  });
}

function earlierSection(result: BenchResult): Markup | null {
  const { earlier } = result;
  if (earlier === null) return null;
  const rows = earlier.rows.map((row) => {
    return markup`<tr><td>${titleOfLoad(result, row.load)}</td><td>${nameOfRow(row)}</td><td class="n">${times(row.rate)}</td><td class="n">${times(row.cpuPerOperation)}</td><td class="n">${times(row.p99)}</td></tr>\n`;
  });
  return markup`<h2>Beside the run of ${earlier.when}</h2>
<p>The medians of this run by those of that one.</p>
<div class="scroll"><table>
<thead><tr><th>Load</th><th>Peer</th><th class="n">rate</th><th class="n">CPU per operation</th><th class="n">p99</th></tr></thead>
<tbody>${rows}</tbody></table></div>
`;
}
