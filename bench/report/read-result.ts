import { type BenchResult, RESULT_VERSION } from "../result.ts";

/** A file of which no report can be made. */
export class ReportError extends Error {}

/** What the harness wrote with `--json`. Throws `ReportError` where a report would find no lists and objects where they belong. */
export function readResult(text: string, file: string): BenchResult {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new ReportError(`${file} is no JSON`);
  }
  if (!isObject(value) || value["version"] !== RESULT_VERSION) {
    throw new ReportError(`${file} is no result of version ${RESULT_VERSION} of this benchmark`);
  }
  const broken = brokenField(value);
  if (broken !== null) throw new ReportError(`${file}: ${broken} is not what it should be`);
  return value as unknown as BenchResult;
}

function brokenField(result: Fields): string | null {
  const { machine, options, loadAverage, rows, comparisons, earlier } = result;
  if (!isObject(machine)) return "machine";
  if (!isObject(options) || !Array.isArray(options["only"])) return "options";
  if (!Array.isArray(loadAverage)) return "loadAverage";
  for (const name of ["peers", "generators", "loads", "rows", "comparisons", "bars"]) {
    if (!isListOfObjects(result[name])) return name;
  }
  if (!(rows as Fields[]).every(isRow)) return "rows";
  if (!(comparisons as Fields[]).every(({ rate }) => isObject(rate))) return "comparisons";
  if (earlier === null) return null;
  return isObject(earlier) && isListOfObjects(earlier["rows"]) ? null : "earlier";
}

function isRow({ samples, medians }: Fields): boolean {
  return isListOfObjects(samples) && (medians === null || isObject(medians));
}

type Fields = Readonly<Record<string, unknown>>;

function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isListOfObjects(value: unknown): boolean {
  return Array.isArray(value) && value.every(isObject);
}
