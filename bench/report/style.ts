/** The first colour is ours, the last is for bounds; told apart also by those who see few colours, on white and on black. */
const LIGHT = "#0b62c4 #c2570c #7a3fb0 #0d7f6e #b3245c #7d6608 #6b7280".split(" ");
const DARK = "#6cb2ff #ff9d5c #c79bff #4fd1b5 #ff86b3 #d9c24a #a3aab8".split(" ");

function colours(values: readonly string[]): string {
  return values.map((value, index) => `--s${index}:${value};`).join("");
}

const SERIES: string = LIGHT.map(
  (_, index) => `.s${index}{fill:var(--s${index});stroke:var(--s${index});color:var(--s${index})}`,
).join("\n");

/** Of the whole page: nothing is loaded from anywhere, and nothing needs a script. Without characters that are escaped in text. */
export const STYLE: string = `
:root{color-scheme:light dark;--paper:#ffffff;--ink:#1a1d21;--soft:#5b6470;--line:#d8dce2;--stripe:#f5f6f8;--good:#0a7a3d;--bad:#b3261e;--note:#fff6dd;${colours(LIGHT)}}
@media (prefers-color-scheme:dark){:root{--paper:#14171a;--ink:#e7eaee;--soft:#a0a8b3;--line:#343a42;--stripe:#1b1f24;--good:#5fd38d;--bad:#ff8a80;--note:#332b12;${colours(DARK)}}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:1180px;padding:24px 20px 64px;background:var(--paper);color:var(--ink);font:15px/1.5 system-ui,-apple-system,Segoe UI,Roboto,DejaVu Sans,sans-serif}
h1{font-size:26px;line-height:1.2;margin:0 0 4px}
h2{font-size:20px;margin:40px 0 8px;padding-top:12px;border-top:1px solid var(--line)}
h3{font-size:16px;margin:28px 0 6px}
p{margin:6px 0;max-width:76ch}
.soft{color:var(--soft)}
.note{background:var(--note);border-left:4px solid var(--s5);padding:8px 12px;margin:12px 0;max-width:none}
.scroll,.plot{overflow-x:auto}
table{border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:14px;margin:8px 0}
th,td{padding:4px 10px;text-align:left;border-bottom:1px solid var(--line);vertical-align:top;overflow-wrap:break-word;max-width:520px}
th{font-weight:600;color:var(--soft)}
thead th{border-bottom:2px solid var(--line);vertical-align:bottom}
td.n,th.n{text-align:right}
td.n{white-space:nowrap}
td.load{padding-top:14px;font-weight:600;max-width:none}
td.wide{min-width:230px}
td.peer{min-width:170px}
.soft{font-weight:400}
.met{color:var(--good);font-weight:600}
.missed{color:var(--bad);font-weight:600}
.unmeasured{color:var(--soft)}
.key{display:inline-block;width:10px;height:10px;border-radius:2px;margin-right:6px;background:currentColor}
svg{display:block;font:12px system-ui,-apple-system,Segoe UI,Roboto,DejaVu Sans,sans-serif}
svg text{fill:var(--ink);stroke:none}
svg .tick,svg .unit{fill:var(--soft)}
.stripe{fill:var(--stripe)}
.grid{stroke:var(--line)}
.reference{stroke:var(--soft);stroke-width:1.5}
${SERIES}
svg text.value{stroke:none}
.spread{stroke-width:2}
svg .ring{fill:var(--paper);stroke-width:2}
.whisker{stroke:var(--ink);stroke-width:1.2}
.asked{stroke:var(--bad);stroke-width:3}
.reach{fill:none;stroke:var(--soft);stroke-width:1.5}
@media print{body{max-width:none}h2{break-after:avoid}svg,tr{break-inside:avoid}}
`;
