import { PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import { readAnswer } from "../../../../src/cli/tgt/setup-lun/read-answer.ts";

function answerTo(text: string, isTTY: boolean): Promise<[answer: string, asked: unknown]> {
  const input = Object.assign(new PassThrough(), { isTTY });
  const output = new PassThrough();
  input.end(text);
  const answer = readAnswer("Well? ", input, output);
  return answer.then((line) => [line, (output.read() as Buffer | null)?.toString() ?? null]);
}

describe("an answer", () => {
  it("is the first line", async () => {
    expect(await answerTo(" yes \nno\n", true)).toEqual(["yes", "Well? "]);
    expect(await answerTo("yes", true)).toEqual(["yes", "Well? "]);
  });

  it("is asked for where there is somebody to ask", async () => {
    expect(await answerTo("yes\n", false)).toEqual(["yes", null]);
  });

  it("is none at the end of the input", async () => {
    expect(await answerTo("", false)).toEqual(["", null]);
  });
});
