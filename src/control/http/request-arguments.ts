import { OperationError } from "../protocol.ts";

const NUMBER = /^-?\d{1,16}(\.\d{1,16})?$/;

interface Field {
  readonly type?: string;
}

/** What the arguments of a request in its query are, by the schema: texts become numbers and flags where those are asked for. */
export function argumentsOfQuery(
  query: URLSearchParams,
  schema: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const fields = (schema["properties"] ?? {}) as Readonly<Record<string, Field>>;
  const values = new Map<string, unknown>();
  for (const [key, text] of query) {
    const type = Object.hasOwn(fields, key) ? fields[key]?.type : undefined;
    if (type === "array") {
      values.set(key, [...((values.get(key) as unknown[] | undefined) ?? []), text]);
      continue;
    }
    if (values.has(key)) throw new OperationError("invalid", `${shown(key)} is given twice`);
    values.set(key, valueOf(text, type));
  }
  return Object.fromEntries(values);
}

/** What is none of the kind stays a text, for the schema to complain about. */
function valueOf(text: string, type: string | undefined): unknown {
  if ((type === "integer" || type === "number") && NUMBER.test(text)) return Number(text);
  if (type === "boolean" && (text === "true" || text === "false")) return text === "true";
  return text;
}

function shown(key: string): string {
  return JSON.stringify(key.slice(0, 64));
}

/** The arguments of a request as JSON; none at all are none. Errors: invalid. */
export function argumentsOfJson(body: Uint8Array): unknown {
  if (body.length === 0) return {};
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(body);
    return JSON.parse(text) as unknown;
  } catch (error) {
    const what = error instanceof SyntaxError ? "JSON" : "UTF-8";
    throw new OperationError("invalid", `the arguments are not ${what}`, error);
  }
}
