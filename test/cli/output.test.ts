import { afterEach, expect, it, vi } from "vitest";
import { print, say } from "../../src/cli/output.ts";

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
