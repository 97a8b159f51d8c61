import { expect, it } from "vitest";
import { ProgressLine, withProgressLine } from "../../src/cli/progress-line.ts";

function lineOn(isTTY: boolean, inBytes = false) {
  const written: string[] = [];
  let nowMs = 0;
  const stream = { isTTY, write: (text: string) => void written.push(text) };
  const line = new ProgressLine({ stream, inBytes, now: () => nowMs });
  return { line, written, pass: (ms: number) => void (nowMs += ms) };
}

it("shows how far it is, now and then, and always the end", () => {
  const { line, written, pass } = lineOn(true, true);
  line.advance("Copying", 0, 4096);
  line.advance("Copying", 1024, 4096);
  pass(200);
  line.advance("Copying", 2048, 4096);
  line.advance("Copying", 4096, 4096);
  line.end();
  line.end();
  expect(written.map((text) => text.trimEnd())).toEqual([
    "\rCopying   0 %  0 B of 4 KiB",
    "\rCopying  50 %  2 KiB of 4 KiB",
    "\rCopying 100 %  4 KiB of 4 KiB",
    "",
  ]);
});

it("counts without bytes, and nothing of nothing is all", () => {
  const { line, written } = lineOn(true);
  line.advance("Checking", 0, 0);
  expect(written).toEqual(["\rChecking 100 %   "]);
});

it("is silent where no terminal watches", () => {
  const { line, written } = lineOn(false);
  line.advance("Copying", 1, 2);
  line.end();
  expect(written).toEqual([]);
});

it("ends its line with the work, also where that fails", async () => {
  const { line, written } = lineOn(true);
  const work = withProgressLine((advance) => {
    advance({ step: "Checking", done: 1, total: 2 });
    return Promise.reject(new Error("no"));
  }, line);
  await expect(work).rejects.toThrow("no");
  expect(written).toEqual(["\rChecking  50 %   ", "\n"]);
});
