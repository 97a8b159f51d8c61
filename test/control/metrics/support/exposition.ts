/** One line with a value. */
export interface ExposedSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface ExposedFamily {
  readonly help: string;
  readonly type: string;
  readonly samples: readonly ExposedSample[];
}

const NAME = String.raw`[a-zA-Z_:][a-zA-Z0-9_:]*`;
const COMMENT = new RegExp(String.raw`^# (HELP|TYPE) (${NAME}) (.+)$`);
const SAMPLE = new RegExp(String.raw`^(${NAME})(?:\{(.*)\})? (\S+)$`);
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\["\\n])*)"(?:,|$)/y;

function labelsOf(text: string): Record<string, string> {
  const labels: Record<string, string> = {};
  LABEL.lastIndex = 0;
  while (LABEL.lastIndex < text.length) {
    const match = LABEL.exec(text);
    if (match === null) throw new Error(`no labels: ${text}`);
    const [, name = "", value = ""] = match;
    if (name in labels) throw new Error(`label ${name} twice: ${text}`);
    labels[name] = value.replaceAll(/\\(["\\n])/g, (_all, what: string) =>
      what === "n" ? "\n" : what,
    );
  }
  return labels;
}

function valueOf(text: string): number {
  const special: Record<string, number> = { "+Inf": Infinity, "-Inf": -Infinity, Nan: NaN, NaN };
  const value = special[text] ?? Number(text);
  if (Number.isNaN(value) && !/^nan$/i.test(text)) throw new Error(`no number: ${text}`);
  return value;
}

/**
 * Parses Prometheus' text format (version 0.0.4) strictly: a family is one HELP, one TYPE and its samples together, no series
 * stands there twice, and samples have the names that their type allows.
 */
export function parseExposition(text: string): Map<string, ExposedFamily> {
  if (!text.endsWith("\n")) throw new Error("the last line does not end");
  const families = new Map<string, { help: string; type: string; samples: ExposedSample[] }>();
  const series = new Set<string>();
  let current = "";
  for (const line of text.split("\n")) {
    if (line === "") continue;
    const comment = COMMENT.exec(line);
    if (comment !== null) {
      const [, kind, name = "", rest = ""] = comment;
      if (kind === "HELP") {
        if (families.has(name)) throw new Error(`family ${name} twice`);
        families.set(name, { help: rest, type: "", samples: [] });
        current = name;
        continue;
      }
      const family = families.get(name);
      if (name !== current || family === undefined || family.type !== "") {
        throw new Error(`a type out of place: ${line}`);
      }
      family.type = rest;
      continue;
    }
    const sample = SAMPLE.exec(line);
    if (sample === null) throw new Error(`no sample: ${line}`);
    const [, name = "", labels = "", value = ""] = sample;
    const family = families.get(current);
    if (family === undefined) throw new Error(`a sample without a family: ${line}`);
    const suffixes = { histogram: ["_bucket", "_sum", "_count"], summary: ["", "_sum", "_count"] };
    const allowed = suffixes[family.type as keyof typeof suffixes] ?? [""];
    if (!allowed.some((suffix) => name === `${current}${suffix}`)) {
      throw new Error(`a sample of another family than ${current}: ${line}`);
    }
    const parsed = labelsOf(labels);
    const key = JSON.stringify([
      name,
      Object.keys(parsed)
        .toSorted()
        .map((label) => parsed[label]),
      Object.keys(parsed).toSorted(),
    ]);
    if (series.has(key)) throw new Error(`a series twice: ${line}`);
    series.add(key);
    family.samples.push({ name, labels: parsed, value: valueOf(value) });
  }
  return families;
}

/** The value of one series. */
export function exposed(
  families: ReadonlyMap<string, ExposedFamily>,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number | undefined {
  const family = families.get(name.replace(/_(?:bucket|sum|count)$/, "")) ?? families.get(name);
  const wanted = Object.entries(labels);
  const found = family?.samples.filter(
    (sample) =>
      sample.name === name &&
      Object.keys(sample.labels).length === wanted.length &&
      wanted.every(([label, value]) => sample.labels[label] === value),
  );
  if (found !== undefined && found.length > 1) throw new Error(`${name} is there more than once`);
  return found?.[0]?.value;
}
