import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ConfigError } from "../src/control/config/report.ts";
import { StartError } from "../src/control/start-error.ts";
import { type DaemonOptions, runDaemon, type Running } from "../src/daemon.ts";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "thinlun-daemon-"));
});

afterEach(() => rmSync(folder, { recursive: true }));

function options(changes: Partial<DaemonOptions> = {}): DaemonOptions {
  return {
    configFile: null,
    stateDir: join(folder, "state"),
    portals: ["127.0.0.1:0"],
    logLevel: "silent",
    ready: { file: null, fd: null },
    terminal: false,
    ...changes,
  };
}

const config = (text: string): string => {
  const path = join(folder, "c.yaml");
  writeFileSync(path, text);
  return path;
};

/** Runs it until it is ready, then stops it as a service manager would. */
async function runOnce(changes: Partial<DaemonOptions> = {}): Promise<Running> {
  let seen: Running | undefined;
  const ending = await runDaemon(options(changes), (running) => {
    seen = running;
    process.emit("SIGTERM", "SIGTERM");
  });
  expect(ending).toBe("stopped");
  if (seen === undefined) throw new Error("it was never ready");
  return seen;
}

/** What the daemon puts on the process: all of it has to be gone afterwards. */
const listeners = (): number =>
  ["SIGTERM", "SIGINT", "SIGHUP", "uncaughtException", "unhandledRejection"]
    .map((event) => process.listenerCount(event))
    .reduce((sum, count) => sum + count, 0);

describe("runDaemon", () => {
  it("describes what it runs", async () => {
    const before = listeners();
    const running = await runOnce();
    expect(running).toMatchObject({
      demo: "demo/disk",
      stateDir: join(folder, "state"),
      portals: [{ address: "127.0.0.1" }],
      targets: [{ usesChap: false, luns: [{ lun: 0, capacityBytes: 8 * 2 ** 30, isNew: true }] }],
    });
    expect(listeners()).toBe(before);
    expect((await runOnce()).targets[0]?.luns[0]?.isNew).toBe(false);
  });

  it("lets the command line go before the configuration", async () => {
    const file = config(
      "stateDir: elsewhere\nportals: [{ listen: 192.0.2.1 }]\nvolumes: {}\ntargets: []\n",
    );
    const running = await runOnce({ configFile: file });
    expect(running).toMatchObject({ demo: null, stateDir: join(folder, "state") });
    expect(running.portals[0]?.address).toBe("127.0.0.1");
  });

  it("lets go of everything when it cannot start", async () => {
    const file = config(
      "volumes: { a: { driver: raw, path: a.img, size: 1MiB, create: true }, b: { driver: raw, path: b.img } }\ntargets: []\n",
    );
    const failing = runDaemon(options({ configFile: file }), () => undefined);
    await expect(failing).rejects.toThrow(StartError);
    await expect(failing).rejects.toThrow(/volume b/);
    // The state folder and the first volume are free again.
    const repaired = config("volumes: { a: { driver: raw, path: a.img } }\ntargets: []\n");
    await runOnce({ configFile: repaired });
  });

  it("does not begin with a configuration that has errors", async () => {
    const file = config("volumes: {}\n");
    const failing = runDaemon(options({ configFile: file }), () => undefined);
    await expect(failing).rejects.toThrow(ConfigError);
  });
});
