import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { madeUpName } from "../../../src/control/operations/targets.ts";
import { eventually } from "../../support/in-process-target.ts";
import { DISK, DaemonBench, HOST } from "./support/daemon-bench.ts";

let bench: DaemonBench;

beforeEach(async () => {
  bench = await DaemonBench.make();
});

afterEach(() => bench.dispose());

describe("operations on targets", () => {
  it("make, list, show and delete them, and each is there after a restart", async () => {
    const made = await bench.run("target/create", { name: DISK, alias: "a disk" });
    expect(made).toMatchObject({
      name: DISK,
      alias: "a disk",
      tid: 1,
      origin: "command",
      state: "ready",
      luns: [],
      authentication: null,
      sessionCount: 0,
    });
    expect(await bench.run("target/list", {})).toEqual([made]);
    await bench.restart();
    expect(await bench.run("target/show", { target: DISK.toUpperCase() })).toEqual(made);
    expect(await bench.run("target/delete", { target: DISK })).toEqual({});
    await bench.restart();
    expect(await bench.run("target/list", {})).toEqual([]);
    await expect(bench.run("target/show", { target: DISK })).rejects.toMatchObject({
      kind: "missing",
    });
  });

  it("make up a name of this host where none is given", async () => {
    const first = await bench.run("target/create", {});
    const second = await bench.run("target/create", {});
    expect(first.name).toMatch(/^iqn\.2026-11\.net\.thinlun:[a-z0-9-]+-[0-9a-f]{8}$/);
    expect(second.name).not.toBe(first.name);
    expect(madeUpName("Host_1.Example.ORG", "0123456789")).toBe(
      "iqn.2026-11.net.thinlun:host-1-example-org-01234567",
    );
    expect(madeUpName("\u00fc", "0123456789")).toBe("iqn.2026-11.net.thinlun:host-01234567");
  });

  it("change settings, and leave alone what is not given", async () => {
    await bench.run("target/create", { name: DISK, alias: "x" });
    const first = await bench.run("target/set", {
      target: DISK,
      sessionsMax: 7,
      parameters: { headerDigest: "required" },
      pings: { interval: 5 },
    });
    expect(first).toMatchObject({ alias: "x", sessionsMax: 7 });
    const second = await bench.run("target/set", {
      target: DISK,
      alias: null,
      redirect: { address: "192.0.2.1:3261", permanent: true },
      parameters: { maxOutstandingR2T: 2 },
      pings: { count: 4 },
    });
    expect(second).toMatchObject({
      alias: null,
      sessionsMax: 7,
      redirect: { address: "192.0.2.1:3261", permanent: true },
      parameters: { headerDigest: "required", maxOutstandingR2T: 2 },
      pings: { interval: 5, count: 4 },
    });
    expect((await bench.run("target/set", { target: DISK, redirect: null })).redirect).toBe(null);
    await expect(bench.run("target/set", { target: DISK })).rejects.toThrow("nothing is to be");
  });

  it("refuse logins to one that is offline", async () => {
    await bench.run("target/create", { name: DISK });
    await bench.run("target/set", { target: DISK, state: "offline" });
    await expect(bench.login()).rejects.toThrow();
    await bench.run("target/set", { target: DISK, state: "ready" });
    expect((await bench.login()).closed).toBe(null);
  });

  it("delete none that initiators use, unless they are logged out for it", async () => {
    await bench.run("target/create", { name: DISK });
    const session = await bench.login();
    await expect(bench.run("target/delete", { target: DISK })).rejects.toMatchObject({
      kind: "busy",
      message: expect.stringContaining(HOST),
    });
    expect((await bench.run("target/show", { target: DISK })).sessionCount).toBe(1);
    expect(session.closed).toBe(null);
    await bench.run("target/delete", { target: DISK, force: true });
    await eventually(() => session.closed !== null, "it is logged out");
    await expect(bench.login()).rejects.toThrow();
  });

  it("say of a configured one where it is changed", async () => {
    await bench.dispose();
    const { demoConfig, DEMO_TARGET } = await import("../../../src/control/demo-config.ts");
    const { emptyConfig } = await import("../support/plane-harness.ts");
    bench = await DaemonBench.make((folder) => {
      const [target] = demoConfig(folder).targets;
      const targets = target === undefined ? [] : [{ ...target, luns: [] }];
      return { config: { ...emptyConfig(folder), targets } };
    });
    expect((await bench.run("target/show", { target: DEMO_TARGET })).origin).toBe("configuration");
    for (const name of ["target/delete", "target/set"] as const) {
      await expect(
        bench.attempt(name, { target: DEMO_TARGET, ...(name === "target/set" && { alias: "x" }) }),
      ).rejects.toMatchObject({ kind: "foreign", message: expect.stringContaining("SIGHUP") });
    }
  });

  it.each([
    [{ name: "disk" }, "iqn"],
    [{ name: `iqn.2026-11.net.example:${"x".repeat(300)}` }, "223"],
    [{ name: "iqn.2026-13.net.example:x" }, "iqn"],
    [{ name: `${DISK} x` }, "letters"],
    [{ name: "" }, "name"],
    [{ name: DISK, alias: "x".repeat(300) }, "alias"],
    [{ name: DISK, portalGroups: [7] }, "no portal is in group 7"],
    [{ name: DISK, sessionsMax: 0 }, "sessions"],
    [{ name: DISK, redirect: { address: "1.2.3" } }, "1.2.3"],
    [{ name: DISK, parameters: { maxBurstLength: 1 } }, "maxBurstLength"],
    [{ name: DISK, pings: { count: 0 } }, "count"],
    [{ name: DISK, luns: [] }, "luns"],
  ])("refuse to make %j", async (body, complaint) => {
    await expect(bench.attempt("target/create", body)).rejects.toMatchObject({
      kind: "invalid",
      message: expect.stringContaining(complaint),
    });
    expect(await bench.run("target/list", {})).toEqual([]);
  });

  it("make one of two that are asked for at once under one name", async () => {
    const outcomes = await Promise.allSettled([
      bench.run("target/create", { name: DISK, alias: "one" }),
      bench.run("target/create", { name: DISK, alias: "two" }),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected"]);
    expect(outcomes[1]).toMatchObject({ reason: { kind: "exists" } });
    expect((await bench.run("target/show", { target: DISK })).alias).toBe("one");
  });

  it("tell in the log who has changed what", async () => {
    await bench.run("target/create", { name: DISK });
    const audit = bench.harness.lines.find(({ message }) => message === "changed");
    expect(audit?.fields).toMatchObject({
      by: "tester",
      operation: "target/create",
      changes: [{ action: "create", kind: "target", name: DISK, thing: { name: DISK } }],
    });
  });
});
