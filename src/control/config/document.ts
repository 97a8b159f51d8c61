/** A value of a configuration document, as JSON has it. */
export type ConfigValue =
  string | number | boolean | null | readonly ConfigValue[] | ConfigDocument | undefined;

/** A map of the configuration as plain data. Keys whose value is null are left out when it is written: a key without a value is an error. */
export interface ConfigDocument {
  readonly [key: string]: ConfigValue;
}

/** The document's text as JSON, which is YAML too. */
export function writeDocument(document: ConfigDocument): string {
  const withoutNulls = (_key: string, value: unknown): unknown =>
    value === null ? undefined : value;
  return JSON.stringify(document, withoutNulls, 2);
}
