import { afterEach, expect, it, vi } from "vitest";
import { withLongWork } from "../../src/cli/long-work.ts";
import { ProgressLine } from "../../src/cli/progress-line.ts";

const written: string[] = [];
const stream = { isTTY: true, write: (text: string) => written.push(text) };

afterEach(() => {
  vi.restoreAllMocks();
  written.length = 0;
});

it("long work is shown, and its line has ended when it has", async () => {
  const result = await withLongWork(({ onProgress }) => {
    onProgress({ step: "Counting", done: 1, total: 4 });
    return Promise.resolve(7);
  }, new ProgressLine({ stream }));
  expect(result).toBe(7);
  expect(written).toEqual(["\rCounting  25 %   ", "\n"]);
});

it("Ctrl-C has it stop, and where it cannot, says why and is as without it from then on", async () => {
  const before = process.listenerCount("SIGINT");
  const said = vi.spyOn(process.stderr, "write").mockReturnValue(true);
  const work = withLongWork(async ({ signal, onNoStop }) => {
    process.emit("SIGINT");
    expect(signal.aborted).toBe(true);
    onNoStop("it is nearly done");
    expect(process.listenerCount("SIGINT")).toBe(before);
    await Promise.resolve();
    throw signal.reason;
  });
  await expect(work).rejects.toThrow("nothing was left behind");
  expect(said.mock.calls.map(([text]) => text)).toEqual(["It goes on: it is nearly done.\n"]);
});
