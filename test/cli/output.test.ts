import { afterEach, expect, it, vi } from "vitest";
import { print, printText, say } from "../../src/cli/output.ts";

afterEach(() => vi.restoreAllMocks());

it("prints JSON or text, and says the rest on the error output", () => {
  const out = vi.spyOn(process.stdout, "write").mockReturnValue(true);
  const error = vi.spyOn(process.stderr, "write").mockReturnValue(true);
  print({ a: 1 }, true, () => "text\n");
  print({ a: 1 }, false, () => "text\n");
  say("done");
  expect(out.mock.calls.map(([text]) => text)).toEqual(['{\n  "a": 1\n}\n', "text\n"]);
  expect(error.mock.calls).toEqual([["done\n"]]);
});

it("shows what a terminal would obey or hide, in names that are on disks already", () => {
  const out = vi.spyOn(process.stdout, "write").mockReturnValue(true);
  const error = vi.spyOn(process.stderr, "write").mockReturnValue(true);
  const name = "a\u202eb";
  print({ name }, true, () => "");
  print({ name }, false, () => `${name}\t1\n`);
  printText(`volume ${name}\n`);
  say(`${name}\u001b[2J`);
  const texts = out.mock.calls.map(([text]) => String(text));
  expect(texts).toEqual(['{\n  "name": "a\\u202eb"\n}\n', "a\\u202eb\t1\n", "volume a\\u202eb\n"]);
  expect(JSON.parse(texts[0] ?? "")).toEqual({ name });
  expect(error.mock.calls).toEqual([["a\\u202eb\\u001b[2J\n"]]);
});
