import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { eventually } from "../../support/in-process-target.ts";
import { DISK, DaemonBench, HOST } from "./support/daemon-bench.ts";

let bench: DaemonBench;

beforeEach(async () => {
  bench = await DaemonBench.make();
  await bench.run("target/create", { name: DISK });
});

afterEach(() => bench.dispose());

const OTHER = "iqn.2026-11.net.example:other";

describe("operations on sessions", () => {
  it("tell who is there, since when, and what was agreed on", async () => {
    expect(await bench.run("session/list", {})).toEqual([]);
    const before = Date.now();
    await bench.login(DISK, { initiatorAlias: "a host", isid: "400000000001" });
    const [session] = await bench.run("session/list", {});
    expect(session).toMatchObject({
      target: DISK,
      initiator: HOST,
      initiatorAlias: "a host",
      isid: "400000000001",
      account: null,
      address: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
      parameters: { headerDigest: false, immediateData: true },
    });
    expect(session?.portal).toBe((await bench.run("portal/list", {}))[0]?.address);
    const since = Date.parse(session?.since ?? "");
    expect(since).toBeGreaterThan(before - 1000);
    expect(since).toBeLessThan(Date.now() + 1000);
  });

  it("find them by number, target and initiator", async () => {
    await bench.login();
    await bench.login(DISK, { initiatorName: OTHER });
    const all = await bench.run("session/list", {});
    expect(all).toHaveLength(2);
    const found = async (body: object): Promise<number> =>
      (await bench.attempt("session/list", body)).length;
    expect(await found({ tsih: all[0]?.tsih })).toBe(1);
    expect(await found({ initiator: OTHER.toUpperCase() })).toBe(1);
    expect(await found({ target: DISK })).toBe(2);
    expect(await found({ target: DISK, initiator: HOST })).toBe(1);
    expect(await found({ target: OTHER })).toBe(0);
  });

  it("end those that are meant, and say so", async () => {
    const session = await bench.login();
    const other = await bench.login(DISK, { initiatorName: OTHER });
    const ended = await bench.run("session/logout", { initiator: HOST });
    expect(ended.map(({ initiator }) => initiator)).toEqual([HOST]);
    await eventually(() => session.closed !== null, "it ends");
    expect(other.closed).toBe(null);
    expect(await bench.run("session/list", {})).toHaveLength(1);
    const told = bench.harness.lines.findLast(({ message }) => message === "changed");
    expect(told?.fields).toMatchObject({
      by: "tester",
      operation: "session/logout",
      changes: [{ action: "delete", kind: "session", thing: { target: DISK, initiator: HOST } }],
    });
  });

  it("name the one that is not there", async () => {
    const gone = bench.attempt("session/logout", { tsih: 77, target: DISK });
    await expect(gone).rejects.toThrow(`there is no such session: tsih 77, target ${DISK}`);
  });

  it.each([
    [{}, "invalid"],
    [{ tsih: 77 }, "missing"],
    [{ target: "two words" }, "invalid"],
    [{ initiator: "x".repeat(300) }, "invalid"],
  ])("end none for %j", async (body, kind) => {
    const session = await bench.login();
    await expect(bench.attempt("session/logout", body)).rejects.toMatchObject({ kind });
    expect(session.closed).toBe(null);
  });
});
