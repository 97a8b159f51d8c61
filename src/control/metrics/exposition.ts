import type { Metric, Sample } from "./metric.ts";

/** Prometheus' text format, version 0.0.4. */
export const CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** Samples of one thing share the object of their labels. */
const rendered = new WeakMap<Sample["labels"], string>();

/** The lines of a metric, each with its end: what it is, and its samples. */
export function* linesOf<Sources>(metric: Metric<Sources>, sources: Sources): Generator<string> {
  const { name, help, type } = metric;
  yield `# HELP ${name} ${escaped(help)}\n# TYPE ${name} ${type}\n`;
  for (const { labels, le, value, suffix = "" } of metric.collect(sources)) {
    const text = labelText(labels);
    const bound = le === undefined ? "" : `${text === "" ? "" : ","}le="${le}"`;
    const all = text === "" && bound === "" ? "" : `{${text}${bound}}`;
    yield `${name}${suffix}${all} ${valueText(value)}\n`;
  }
}

function labelText(labels: Sample["labels"]): string {
  const known = rendered.get(labels);
  if (known !== undefined) return known;
  const text = Object.entries(labels)
    .map(([name, value]) => `${name}="${escaped(value).replaceAll('"', '\\"')}"`)
    .join(",");
  rendered.set(labels, text);
  return text;
}

function escaped(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}

function valueText(value: number): string {
  if (Number.isFinite(value)) return String(value);
  if (Number.isNaN(value)) return "NaN";
  return value > 0 ? "+Inf" : "-Inf";
}
