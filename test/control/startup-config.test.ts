import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { ConfigError } from "../../src/control/config/report.ts";
import { isDemo, startupConfig } from "../../src/control/startup-config.ts";

const folder = mkdtempSync(join(tmpdir(), "thinlun-startup-"));
afterAll(() => rmSync(folder, { recursive: true }));

const NOTHING = { configFile: null, stateDir: null, portals: [] };

function file(text: string): string {
  const path = join(folder, "c.yaml");
  writeFileSync(path, text, { mode: 0o600 });
  return path;
}

it("is the demonstration disk without a configuration, and nothing where tgt's daemon is wanted", () => {
  expect(isDemo(NOTHING)).toBe(true);
  expect([...startupConfig(NOTHING).config.volumes.keys()]).toEqual(["disk"]);
  const tgt = { ...NOTHING, stateDir: folder, tgtSocket: join(folder, "socket.0") };
  expect(isDemo(tgt)).toBe(false);
  const { config } = startupConfig(tgt);
  expect(config).toMatchObject({ stateDir: folder, targets: [] });
  expect(config.portals.map(({ listen }) => listen.address)).toContain("0.0.0.0");
});

it("lets the command line go before the file, and what the file says before what is usual", () => {
  const configFile = file(
    "stateDir: elsewhere\nportals: [{ listen: 192.0.2.1 }]\nvolumes: {}\ntargets: []\n",
  );
  const { config } = startupConfig({ ...NOTHING, configFile });
  expect(config.stateDir).toBe(join(folder, "elsewhere"));
  expect(config.portals.map(({ listen }) => listen.address)).toEqual(["192.0.2.1"]);
  const portals = ["127.0.0.1:3261"];
  const changed = startupConfig({ configFile, stateDir: folder, portals }).config;
  expect(changed.stateDir).toBe(folder);
  expect(changed.portals).toEqual([
    { listen: { address: "127.0.0.1", port: 3261 }, group: 1, advertise: null },
  ]);
});

it("lets options of tgtd about pings go before the file, each by itself", () => {
  const limits = "limits: { pings: { interval: 30, count: 5 } }\n";
  const configFile = file(`${limits}volumes: {}\ntargets: []\n`);
  const pingsWith = (options: Readonly<Record<string, string>>): unknown => {
    const nopOptions = new Map(Object.entries(options));
    return startupConfig({ ...NOTHING, configFile, nopOptions }).config.limits.pings;
  };
  expect(pingsWith({})).toEqual({ intervalSeconds: 30, count: 5 });
  expect(pingsWith({ nop_interval: "0" })).toEqual({ intervalSeconds: 0, count: 5 });
  expect(pingsWith({ nop_count: "2" })).toEqual({ intervalSeconds: 30, count: 2 });
});

it("is none where the file has errors, and brings along what is worth a warning", () => {
  const lacking = { ...NOTHING, configFile: file("volumes: {}\nnothing: {}\n") };
  expect(() => startupConfig(lacking)).toThrow(ConfigError);
  expect(() => startupConfig({ ...NOTHING, portals: ["nowhere:port"] })).toThrow(/--portal/);
  const unused = "volumes: { a: { driver: memory, size: 1MiB } }\ntargets: []\n";
  const { warnings } = startupConfig({ ...NOTHING, configFile: file(unused) });
  expect(warnings.map(({ message }) => message).join()).toMatch(/\ba\b/);
});
