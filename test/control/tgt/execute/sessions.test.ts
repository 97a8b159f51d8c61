import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { sessionsOf } from "../../../../src/control/tgt/execute/find.ts";
import { INITIATOR, TgtBench } from "../support/tgt-bench.ts";

const TARGET = "iqn.2026-01.com.example:one";
const POLL_MS = 5;
let bench: TgtBench;

beforeEach(async () => {
  bench = await TgtBench.start();
  bench.file("a.img", 1024 * 1024);
  await bench.must(
    `-o new -m target -t 1 -T ${TARGET}`,
    "-o bind -m target -t 1 -I ALL",
    "-o new -m lu -t 1 -l 1 -b {}/a.img",
  );
});

afterEach(async () => {
  await bench.dispose();
});

describe("sessions", () => {
  it("are shown with their connections, and ended by them", async () => {
    await bench.login(TARGET);
    const [live] = sessionsOf(bench.harness.server, TARGET);
    const { sid, cid } = { sid: live?.session.sid, cid: live?.session.connection?.cid };
    expect(sid).toBe(1);
    expect(await bench.must("-o show -m conn -t 1")).toBe(
      `Session: 1\n    Connection: ${cid}\n        Initiator: ${INITIATOR}\n        IP Address: 127.0.0.1\n`,
    );
    expect(await bench.must("-o show -m target")).toContain(`        I_T nexus: 1\n`);
    const end = "-o delete -m conn -t 1";
    expect(await bench.complaint(`${end} -s 7 -c ${cid}`)).toBe("can't find the session");
    expect(await bench.complaint(`${end} -s 1 -c 999`)).toBe("can't find the connection");
    await bench.must(`${end} -s 1 -c ${cid}`);
    while (sessionsOf(bench.harness.server, TARGET).length > 0) await sleep(POLL_MS);
    expect(await bench.must("-o show -m conn -t 1")).toBe("");
  });

  it("do not begin while the system is offline", async () => {
    await bench.must("-o update -m sys -n State -v offline");
    await expect(bench.login(TARGET)).rejects.toThrow();
    await bench.must("-o update -m sys -n State -v ready");
    await bench.login(TARGET);
  });
});
