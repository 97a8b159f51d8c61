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

/** LUN and session of each row. */
function rowsOf(text: string): string[] {
  const rows = text
    .split("sid cid", 1)
    .join("")
    .matchAll(/^ +1 +(\d+) +(\d+) /gm);
  return [...rows].map(([, lun, sid]) => `${lun}/${sid}`);
}

describe("statistics", () => {
  it("are in tgtd's order, and those of connections as wide as their titles", async () => {
    await bench.must("-o new -m lu -t 1 -l 2 -b {}/a.img");
    for (let count = 0; count < 2; count += 1) await bench.login(TARGET);
    const all = ["0/1", "0/2", "1/1", "1/2", "2/1", "2/2"];
    for (const mode of ["sys", "target -t 1"]) {
      expect(rowsOf(await bench.must(`-o stat -m ${mode}`)), mode).toEqual(all);
    }
    const session = await bench.must("-o stat -m session -t 1 -s 2");
    expect(rowsOf(session)).toEqual(["2/2", "1/2", "0/2"]);
    const [titles = "", row = ""] = session.split("\n\n")[1]?.split("\n") ?? [];
    expect(row.replace(/ +\d+/g, (cell) => "x".repeat(cell.length))).toHaveLength(titles.length);
    const widths = [...row.matchAll(/ +\d+/g)].map(([cell]) => cell.length);
    expect(widths).toEqual([3, 4, 14, 14, 13, 12, 9, 9]);
  });

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
