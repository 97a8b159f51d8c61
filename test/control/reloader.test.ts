import { appendFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Config } from "../../src/control/config/config.ts";
import { Reloader } from "../../src/control/reloader.ts";
import { reloaderParts } from "./support/hang-up.ts";
import { targetConfig } from "./support/inventories.ts";
import { emptyConfig, PlaneHarness } from "./support/plane-harness.ts";

const A = "iqn.2026-11.net.example:a";
const B = "iqn.2026-11.net.example:b";

let harness: PlaneHarness;
let told: string[];

beforeEach(async () => {
  harness = await PlaneHarness.start();
  told = [];
});

afterEach(() => harness.dispose());

const withTargets = (...names: string[]): Config => ({
  ...emptyConfig(harness.folder),
  portals: harness.plane.view.config.portals,
  targets: names.map((name) => targetConfig(name)),
});

/** Parts that note what happens, with another configuration at each reading. */
function noting(...configs: readonly Config[]) {
  let count = 0;
  const load = (): Config => {
    told.push("read");
    const config = configs[count++];
    if (config === undefined) throw new Error("nothing to read");
    return config;
  };
  const service = {
    reloading: () => void told.push("reloading"),
    ready: (status: string) => void told.push(status.replace(/ on .*/, "")),
  };
  return { ...reloaderParts(harness, load), service };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(1);
}

describe("SIGHUP", () => {
  it("is worked off one after the other, and what is in effect is told each time", async () => {
    const reloader = new Reloader();
    reloader.start(noting(withTargets(A), withTargets(A, B)));
    reloader.onHangUp();
    reloader.onHangUp();
    await until(() => told.length === 6);
    await reloader.stop();
    expect(told).toEqual(["reloading", "read", "1 target", "reloading", "read", "2 targets"]);
    expect([...harness.server.targets.keys()]).toEqual([A, B]);
  });

  it("is worked off later where the daemon only starts, and not at all where it ends", async () => {
    const reloader = new Reloader();
    reloader.onHangUp();
    reloader.onHangUp();
    reloader.start(noting(withTargets(A)));
    await until(() => told.length === 3);
    await reloader.stop();
    reloader.onHangUp();
    await reloader.stop();
    expect(told).toEqual(["reloading", "read", "1 target"]);
  });

  it("gives no target the number by which another one is known", async () => {
    const reloader = new Reloader();
    const [first] = withTargets(A).targets;
    const other = { ...withTargets(), targets: [targetConfig(B, { tid: 1 }), first ?? never()] };
    reloader.start(noting(withTargets(A), other));
    reloader.onHangUp();
    reloader.onHangUp();
    await until(() => told.length === 6);
    await reloader.stop();
    expect([...harness.server.targets.keys()]).toEqual([A]);
    const refused = harness.lines.find(({ level }) => level === "error");
    expect(refused?.message).toContain("the configuration has errors; the one in use stays");
    expect(String(refused?.fields["error"])).toContain(`has the number 1 of ${B}`);
  });

  it("waits for changes that run", async () => {
    let end: () => void = () => undefined;
    const mayEnd = new Promise<void>((resolve) => (end = resolve));
    const running = harness.plane.exclusively(() => mayEnd);
    const reloader = new Reloader();
    reloader.start(noting(withTargets(A)));
    reloader.onHangUp();
    await until(() => told.length === 1);
    await sleep(10);
    expect(told).toEqual(["reloading"]);
    end();
    await running;
    await until(() => told.length === 3);
    await reloader.stop();
    expect(told).toEqual(["reloading", "read", "1 target"]);
  });

  it("does not end the daemon, whatever goes wrong", async () => {
    const reloader = new Reloader();
    const parts = noting(withTargets(A), withTargets(A));
    const refresh = (): Promise<void> => Promise.reject(new Error("no pools"));
    const configureHttp = (): Promise<void> => Promise.reject(new Error("no address"));
    const { find } = harness.parts.pools;
    reloader.start({ ...parts, pools: { find, refresh, open: () => Promise.resolve() } });
    reloader.onHangUp();
    await until(() => told.length === 2);
    reloader.start({ ...parts, configureHttp });
    reloader.onHangUp();
    await until(() => told.length === 5);
    await reloader.stop();
    expect(told).toEqual(["reloading", "0 targets", "reloading", "read", "1 target"]);
    const errors = harness.lines.filter(({ level }) => level === "error");
    expect(errors.map(({ message }) => message)).toEqual([
      "the configuration could not be read again",
      "HTTP is not served as the configuration says",
    ]);
  });

  it("waits until nobody writes to the file any more", async () => {
    const configFile = join(harness.folder, "c.yaml");
    writeFileSync(configFile, "targets: []\n");
    const reloader = new Reloader();
    const parts = noting(withTargets(A));
    const waits: (() => void)[] = [];
    const clock = {
      ...parts.clock,
      after: (_ms: number, action: () => void) => {
        waits.push(action);
        return { cancel: () => undefined };
      },
    };
    reloader.start({ ...parts, configFile, clock });
    reloader.onHangUp();
    await until(() => waits.length === 1);
    appendFileSync(configFile, "# more\n");
    waits[0]?.();
    await until(() => waits.length === 2);
    expect(told).toEqual(["reloading"]);
    waits[1]?.();
    await until(() => told.length === 3);
    await reloader.stop();
  });
});

function never(): never {
  throw new Error("it is there");
}
