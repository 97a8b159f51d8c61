import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { sessionsOf } from "../../../../src/control/tgt/execute/find.ts";
import { TgtBench } from "../support/tgt-bench.ts";

const TARGET = "iqn.2026-01.com.example:one";
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

describe("statistics", () => {
  it("are of units and sessions, and of connections", async () => {
    const units = "tgt lun sid rd_subm(bytes,cmds)";
    const connections = "sid cid rxdata_octets";
    expect(await bench.must("-o stat -m sys")).toContain(units);
    await bench.login(TARGET);
    const [live] = sessionsOf(bench.harness.server, TARGET);
    const cid = live?.session.connection?.cid;
    for (const mode of ["sys", "target -t 1", "lu -t 1 -l 1"]) {
      expect(await bench.must(`-o stat -m ${mode}`), mode).toMatch(/^  1   1   1 /m);
    }
    const session = await bench.must("-o stat -m session -t 1 -s 1");
    expect(session).toContain(units);
    expect(session).toContain(connections);
    expect(await bench.must(`-o stat -m conn -t 1 -s 1 -c ${cid}`)).toContain(connections);
    const cases = [
      ["target -t 9", "can't find the target"],
      ["lu -t 1 -l 9", "can't find the logical unit"],
      ["session -t 1 -s 9", "can't find the session"],
      ["session -t 9 -s 1", "can't find the session"],
      ["conn -t 1 -s 1 -c 999", "can't find the connection"],
    ] as const;
    for (const [words, complaint] of cases) {
      expect(await bench.complaint(`-o stat -m ${words}`), words).toBe(complaint);
    }
  });
});
