import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { htmlReport } from "./page.ts";
import { readResult, ReportError } from "./read-result.ts";

const USAGE = "npm run bench -- report RESULT.json --html FILE";
const USAGE_STATUS = 2;

/** Makes the report of a run that was written down before, and returns the exit status. */
export function runReport(args: readonly string[]): number {
  try {
    const [from, to] = filesOf(args);
    writeFileSync(to, htmlReport(readResult(readFileSync(from, "utf8"), from)));
    return 0;
  } catch (error) {
    const isSystem = error instanceof Error && "syscall" in error;
    if (!(error instanceof ReportError) && !isSystem) throw error;
    process.stderr.write(`${error.message}\n`);
    return USAGE_STATUS;
  }
}

function filesOf(args: readonly string[]): readonly [from: string, to: string] {
  try {
    const options = { html: { type: "string" } } as const;
    const { positionals, values } = parseArgs({ args: [...args], allowPositionals: true, options });
    const [from, ...others] = positionals;
    if (from !== undefined && others.length === 0 && values.html !== undefined) {
      return [from, values.html];
    }
  } catch (error) {
    throw new ReportError(`${(error as Error).message}\n${USAGE}`);
  }
  throw new ReportError(USAGE);
}
