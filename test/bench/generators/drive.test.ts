import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, describe, expect, it } from "vitest";
import { driveWith } from "../../../bench/generators/drive.ts";
import type { Driven, Generator } from "../../../bench/generators/generator.ts";
import type { PeerSample } from "../../../bench/peers/peer.ts";
import { loadOf, URL } from "../support/drives.ts";

const BUSY_MS = 100;

const folder = mkdtempSync(join(tmpdir(), "thinlun-test-"));
afterAll(() => rmSync(folder, { recursive: true }));

async function until(condition: () => boolean): Promise<void> {
  for (let attempt = 0; attempt < 500; attempt += 1) {
    if (condition()) return;
    await sleep(20);
  }
  throw new Error("not in time");
}

/** A generator that is a script of Node, and whose output is the number of operations. */
function scripted(script: string, log: string[] = []): Generator {
  return {
    name: "iscsi-perf",
    find: () => Promise.resolve({ version: "1" }),
    objection: () => null,
    drive: async ({ url }, run): Promise<Driven> => {
      log.push(url);
      const done = await run([process.execPath, "-e", script], 1);
      const operations = Number(done.stdout);
      return { operations, operationsPerSecond: operations * 2, latency: null, run: done };
    },
  };
}

function drive(generator: Generator, signal = new AbortController().signal): Promise<PeerSample> {
  let cpu = 1;
  const target = { url: URL, cpuSeconds: () => (cpu += 0.5) };
  const load = loadOf("4k-random-read-d32");
  const request = { load, diskBytes: 1 << 20, seconds: 1, placement: "free", signal } as const;
  return driveWith(generator, target, request);
}

describe("a second generator", () => {
  it("has its operations, the CPU time of the target, and its own", async () => {
    const log: string[] = [];
    const busy = `const end = Date.now() + ${BUSY_MS}; while (Date.now() < end); console.log(250)`;
    const sample = await drive(scripted(busy, log));
    expect(sample).toMatchObject({
      operations: 250,
      operationsPerSecond: 500,
      bytesPerSecond: 500 * 4096,
      latency: null,
      cpuUsPerOperation: 2000,
    });
    expect(sample.generatorCpuShare).toBeGreaterThan(0);
    expect(sample.cpuShare).toBeGreaterThan(0);
    expect(log).toEqual([URL]);
  });

  it("says what its program says where that fails", async () => {
    const failing = drive(scripted("console.error('Login Failed'); process.exit(10)"));
    await expect(failing).rejects.toMatchObject({ stderr: "Login Failed\n", code: 10 });
  });

  it("has measured nothing where nothing was done", async () => {
    await expect(drive(scripted("console.log(0)"))).rejects.toThrow("that nothing was done");
  });

  it("ends its program at an interrupt, however that hears of it", async () => {
    const interrupt = new AbortController();
    const file = join(folder, "pid");
    const write = `require("fs").writeFileSync(${JSON.stringify(file)}, String(process.pid))`;
    const deaf = `process.on("SIGTERM", () => 0); ${write}; setInterval(() => 0, 1000)`;
    const interrupted = drive(scripted(deaf), interrupt.signal);
    interrupted.catch(() => undefined);
    await until(() => existsSync(file) && readFileSync(file, "utf8") !== "");
    interrupt.abort();
    await expect(interrupted).rejects.toMatchObject({ signal: "SIGKILL" });
    expect(existsSync(`/proc/${readFileSync(file, "utf8")}`)).toBe(false);
    await expect(drive(scripted("console.log(1)"), interrupt.signal)).rejects.toMatchObject({
      name: "AbortError",
    });
  });
});
