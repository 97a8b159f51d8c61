import type { BarResult, BenchResult, Comparison } from "../result.ts";
import { rangeOf, times } from "./figures.ts";
import { markup, type Markup, type MarkupValue } from "./markup.ts";
import { generatorNote, OUR_NAME, placementNote, titleOfLoad } from "./series.ts";

const FIGURES: Readonly<Record<string, string>> = {
  rate: "rate",
  cpuPerOperation: "CPU per operation",
  p99: "p99",
  p999: "p99.9",
};

const SIGNS: Readonly<Record<string, string>> = { atLeast: "\u2265", atMost: "\u2264" };

/** A sign besides the colour, for those who do not see it, and a class that is one of the style's. */
const VERDICTS: Readonly<Record<string, readonly [className: string, text: string]>> = {
  met: ["met", "\u2713 met"],
  missed: ["missed", "\u2717 missed"],
  unmeasured: ["unmeasured", "not measured"],
};

/** Which bars were met, and by how much. */
export function barsSection(result: BenchResult): Markup {
  const { bars } = result;
  if (bars.length === 0) return markup`<h2>Bars</h2>\n<p>None of what ran has a bar.</p>\n`;
  const count = (state: BarResult["state"]): number =>
    bars.filter((bar) => bar.state === state).length;
  const rows = bars.map((bar) => barRow(result, bar));
  return markup`<h2>Bars</h2>
<p><span class="met">${count("met")} met</span>, <span class="missed">${count("missed")} missed</span>, <span class="unmeasured">${count("unmeasured")} not measured</span>. By the median of the rounds' ratios; beside them the least and the most.</p>
<div class="scroll"><table>
<thead><tr><th>Load</th><th>Figure</th><th>Against</th><th class="n">Asked</th><th class="n">Reached</th><th class="n">Least to most</th><th class="n">SPDK, elsewhere</th><th>Verdict</th></tr></thead>
<tbody>${rows}</tbody></table></div>
`;
}

function barRow(result: BenchResult, bar: BarResult): Markup {
  const { load, placement, figure, theirs, bound, asked, reached, reachFor, state } = bar;
  const [className, verdict] = VERDICTS[state] ?? ["unmeasured", state];
  return markup`<tr><td class="wide">${titleOfLoad(result, load)}${placementNote(placement)}</td><td>${FIGURES[figure] ?? figure}</td><td>${theirs}</td><td class="n">${SIGNS[bound] ?? bound} ${times(asked)}</td><td class="n ${className}">${times(reached?.median)}</td><td class="n">${spread(reached)}</td><td class="n">${times(reachFor)}</td><td class="${className}">${verdict}${doubt(bar)}</td></tr>
`;
}

/** The median decides; what a single round has said is worth a word. */
function doubt({ bound, asked, reached, state }: BarResult): Markup | null {
  if (state !== "met" || !isObject(reached)) return null;
  const isInAll = bound === "atLeast" ? reached.least >= asked : reached.most <= asked;
  return isInAll ? null : markup`<span class="soft">, not in each round</span>`;
}

/** A file is not bound by the type. */
function isObject<Value>(value: Value | null): value is Value {
  return typeof value === "object" && value !== null;
}

function spread(value: Comparison["rate"] | null): MarkupValue {
  return isObject(value) ? rangeOf(value) : null;
}

/** All ratios to one peer. */
export function ratioTable(result: BenchResult, theirs: string): Markup {
  const rows = result.comparisons
    .filter((one) => one.theirs === theirs)
    .map((one) => {
      const pair = (value: Comparison["p99"]): Markup =>
        markup`<td class="n">${times(value?.median)}</td><td class="n soft">${spread(value)}</td>`;
      return markup`<tr><td class="wide">${titleOfLoad(result, one.load)}${placementNote(one.placement)}${generatorNote(one.generator)}</td>${pair(one.rate)}${pair(one.cpuPerOperation)}${pair(one.p99)}${pair(one.p999)}</tr>\n`;
    });
  const heads = ["rate", "cpuPerOperation", "p99", "p999"].map(
    (name) => markup`<th class="n">${FIGURES[name] ?? name}</th><th class="n">least to most</th>`,
  );
  return markup`<div class="scroll"><table>
<thead><tr><th>Load</th>${heads}</tr></thead>
<tbody>${rows}</tbody></table></div>
<p class="soft">${OUR_NAME} by ${theirs}, round by round. More is better for the rate, less for the others.</p>
`;
}
