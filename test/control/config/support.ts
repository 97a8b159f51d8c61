import { expect, it } from "vitest";
import { ConfigError } from "../../../src/control/config/report.ts";
import { type ParsedConfig, parseConfig } from "../../../src/control/config/parse-config.ts";

/** Files that configurations in tests may name. */
const FILES: Readonly<Record<string, { text: string; exposed: boolean }>> = {
  "/etc/thinlun/secret": { text: "filesecret12\n", exposed: false },
  "/etc/thinlun/open-secret": { text: "opensecret12\n", exposed: true },
  "/etc/thinlun/long-secret": { text: "x".repeat(5000), exposed: false },
};

export function parse(text: string): ParsedConfig {
  return parseConfig({
    fileName: "thinlun.yaml",
    text,
    folder: "/etc/thinlun",
    readSecretFile(path) {
      const file = FILES[path];
      if (file === undefined) throw new Error(`ENOENT: no such file, open '${path}'`);
      return file;
    },
  });
}

/** All complaints about a configuration, as "line:column message". */
export function complaints(text: string): string[] {
  try {
    parse(text);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.findings.map(({ line, column, message }) => `${line}:${column} ${message}`);
  }
  return [];
}

/** A row of a table: what it is about, the configuration, and what each of its complaints has to be like. */
export type BadConfig = readonly [about: string, text: string, ...expected: RegExp[]];

export function expectComplaints(text: string, expected: readonly RegExp[]): void {
  const found = complaints(text);
  expect(found, found.join("\n")).toHaveLength(expected.length);
  for (const [index, pattern] of expected.entries()) expect(found[index]).toMatch(pattern);
}

/** A configuration with one target that has these extra lines, which begin at line 4. */
export function withTarget(...lines: string[]): string {
  return [
    "volumes: { disk: { driver: memory, size: 1MiB } }",
    "targets:",
    "  - name: iqn.2026-11.net.example:disk",
    ...lines.map((line) => `    ${line}`),
  ].join("\n");
}

/** A configuration with one volume of these settings, which begin at line 3. */
export function withVolume(...lines: string[]): string {
  return ["volumes:", "  disk:", ...lines.map((line) => `    ${line}`), "targets: []"].join("\n");
}

/** A test for each row. */
export function itRefuses(rows: readonly BadConfig[]): void {
  for (const [about, text, ...expected] of rows) {
    it(`refuses ${about}`, () => expectComplaints(text, expected));
  }
}
