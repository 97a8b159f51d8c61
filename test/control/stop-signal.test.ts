import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { endOnDefects, listenForStop } from "../../src/control/stop-signal.ts";
import { type LogLine, recordingLog } from "../support/recording-log.ts";
import { spawnMortal } from "../support/mortal-child.ts";

const top = join(import.meta.dirname, "..", "..");

const EVENTS = ["SIGTERM", "SIGINT", "uncaughtException", "unhandledRejection"];
const listeners = (): number[] => EVENTS.map((event) => process.listenerCount(event));

/** Runs statements with `stop` and `output` in another process: exit status and what was written last. */
async function ending(statements: string): Promise<[status: number, words: string]> {
  const script = `
    import { endOnDefects, listenForStop } from "${join(top, "src", "control", "stop-signal.ts")}";
    import { openLog } from "${join(top, "src", "util", "log.ts")}";
    const write = (line) => void process.stdout.write(line);
    const output = openLog({ level: "info", pretty: false, write });
    endOnDefects(output);
    const stop = listenForStop(output);
    setInterval(() => undefined, 1000);
    ${statements}`;
  const tsx = join(top, "node_modules", "tsx", "dist", "loader.mjs");
  const args = ["--import", tsx, "--input-type=module", "--eval", script];
  const child = spawnMortal(process.execPath, args);
  let words = "";
  child.stdout?.on("data", (chunk: Buffer) => (words += chunk.toString()));
  const [status] = (await once(child, "close")) as [number];
  return [status, words];
}

describe("listenForStop", () => {
  it("hears the first signal, or whoever asks, and leaves nothing behind", async () => {
    const before = listeners();
    for (const why of ["SIGTERM", "SIGINT", "tgtadm"]) {
      const lines: LogLine[] = [];
      const stop = listenForStop({ log: recordingLog(lines), endsNow: () => undefined });
      if (why === "tgtadm") stop.ask(why);
      else process.emit(why as "SIGTERM", why as "SIGTERM");
      await stop.asked;
      stop.ask("again");
      expect(lines.map(({ fields }) => fields)).toEqual([{ signal: why }]);
      stop.release();
    }
    expect(listeners()).toEqual(before);
  });

  it("ends the process at the second signal", async () => {
    const twice = 'for (const time of [1, 2]) process.emit("SIGTERM", "SIGTERM", time);';
    const [status, words] = await ending(twice);
    expect(status).toBe(1);
    expect(words).toContain("second SIGTERM: ending without waiting");
  });
});

describe("endOnDefects", () => {
  it.each([
    ["an error that nobody catches", 'setTimeout(() => { throw new Error("a defect"); });'],
    ["a promise that nobody waits for", 'void Promise.reject(new Error("a defect"));'],
  ])("ends the process at %s, and says why", async (_what, statements) => {
    const [status, words] = await ending(statements);
    expect(status).toBe(1);
    expect(words).toMatch(/"fatal".*a defect/);
  });

  it("leaves the process as it was in the end", () => {
    const before = listeners();
    const release = endOnDefects({ log: recordingLog([]), endsNow: () => undefined });
    expect(listeners()).not.toEqual(before);
    release();
    expect(listeners()).toEqual(before);
  });
});

describe("the last words", () => {
  const folder = mkdtempSync(join(tmpdir(), "thinlun-last-"));
  afterAll(() => rmSync(folder, { recursive: true }));

  it("are in the log although no thread is left to write them, as a disk is stuck", async () => {
    const pipe = join(folder, "pipe");
    execFileSync("mkfifo", [pipe]);
    const script = `
      import fs from "node:fs";
      import { endOnDefects } from "${join(top, "src", "control", "stop-signal.ts")}";
      import { openLog } from "${join(top, "src", "util", "log.ts")}";
      endOnDefects(openLog({ level: "info", pretty: false }));
      // Opening a pipe that nobody writes to takes a thread of the pool and keeps it.
      fs.open("${pipe}", "r", () => undefined);
      setTimeout(() => { throw new Error("a defect"); }, 100);`;
    const tsx = join(top, "node_modules", "tsx", "dist", "loader.mjs");
    const args = ["--import", tsx, "--input-type=module", "--eval", script];
    const env = { ...process.env, UV_THREADPOOL_SIZE: "1" };
    const child = spawnMortal(process.execPath, args, env);
    let words = "";
    child.stdout?.on("data", (chunk: Buffer) => (words += chunk.toString()));
    expect(await once(child, "close")).toEqual([null, "SIGKILL"]);
    expect(words).toMatch(/"level":"fatal".*a defect of the program: it ends here"}\n$/);
  });
});
