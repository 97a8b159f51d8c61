import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parseConfig } from "../../../src/control/config/parse-config.ts";

const top = join(import.meta.dirname, "..", "..", "..");
const read = (path: string): string => readFileSync(join(top, path), "utf8");

function examples(path: string): string[] {
  return [...read(path).matchAll(/```yaml\n(.*?)```/gs)].map((match) => match[1] ?? "");
}

let secrets = 0;

/** Each file has a secret of its own, as it should be. */
const readSecretFile = () => {
  secrets += 1;
  return { text: `a secret of file ${secrets}\n`, exposed: false };
};

describe.each(["README.md", "docs/configuration.md"])("the examples of %s", (path) => {
  it("are good configurations, and there are some", () => {
    expect(examples(path).length).toBeGreaterThan(0);
    for (const text of examples(path)) {
      const parsed = parseConfig({ fileName: path, text, folder: "/etc", readSecretFile });
      expect(parsed.warnings).toEqual([]);
    }
  });
});

it("the reference names every key that the messages name", () => {
  const reference = read("docs/configuration.md");
  const sources = [
    "parse-config",
    "volume-shape",
    "target-shape",
    "access-shape",
    "authentication-shape",
  ];
  const keys = sources.flatMap((name) =>
    [...read(`src/control/config/${name}.ts`).matchAll(/^\s+(\w+): (?:required|optional)\(/gm)].map(
      (match) => match[1] ?? "",
    ),
  );
  expect(keys.length).toBeGreaterThan(40);
  const missing = keys.filter((key) => !new RegExp(`\\b${key}\\b`).test(reference));
  expect(missing).toEqual([]);
});
