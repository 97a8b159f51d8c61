import { describe, expect, it } from "vitest";
import { poolCommand } from "../../../src/cli/pool.ts";
import { checkCommand } from "../../../src/cli/pool/check.ts";
import { createCommand } from "../../../src/cli/pool/create.ts";
import { deleteCommand } from "../../../src/cli/pool/delete.ts";
import { dumpCommand } from "../../../src/cli/pool/dump.ts";
import { extendCommand } from "../../../src/cli/pool/extend.ts";
import { listCommand, poolTable } from "../../../src/cli/pool/list.ts";
import { addCommand, removeCommand } from "../../../src/cli/pool/membership.ts";
import { repairCommand } from "../../../src/cli/pool/repair.ts";
import { setCommand } from "../../../src/cli/pool/set.ts";
import { poolText, showCommand, usageMapText } from "../../../src/cli/pool/show.ts";
import type { PoolReport } from "../../../src/control/protocol.ts";
import { GIB, SNAPSHOT } from "../snapshot-report.ts";

const POOL: PoolReport = {
  name: "tank",
  uuid: "6f1d2c3b-4a59-4687-9785-a4b3c2d1e0ff",
  extentBytes: 65_536,
  devices: [{ path: "/srv/tank.img", uuid: "u1", sizeBytes: 4 * GIB }],
  space: {
    capacityBytes: 4 * GIB,
    virtualBytes: 8 * GIB,
    mappedBytes: 2 * GIB,
    dataBytes: GIB,
    sharedBytes: GIB,
    metadataBytes: 65_536,
    reservedBytes: 0,
    freeBytes: 3 * GIB,
    usableBytes: 3 * GIB,
  },
  volumeCount: 2,
  overcommitMax: 4,
  thresholds: [0.8, 0.95],
  failure: null,
};

describe("what commands on pools show", () => {
  it("is the space of a pool as letters", () => {
    const cells = [
      { data: 0, metadata: 1 },
      { data: 1, metadata: 0 },
      { data: 0.5, metadata: 0 },
      { data: 0.01, metadata: 0 },
      ...Array.from({ length: 64 }, () => ({ data: 0, metadata: 0 })),
    ];
    const [first, second] = usageMapText({ cellBytes: 65_536, cells }).split("\n");
    expect(first).toBe(`  M#+-${".".repeat(60)}`);
    expect(second).toBe("  ....");
  });

  it("is a pool with its limits, devices and volumes", () => {
    const map = { cellBytes: 65_536, cells: [] };
    const text = poolText({ ...POOL, volumes: [SNAPSHOT], map });
    for (const part of ["4 times", "80 %, 95 %", "/srv/tank.img", "tank/monday", "8 GiB"]) {
      expect(text).toContain(part);
    }
    const failed = poolText({ ...POOL, failure: "a flush failed", volumes: [], map });
    expect(failed).toContain("FAILED    a flush failed");
  });

  it("is a line for each pool and volume", () => {
    expect(poolTable([POOL])).toMatch(/^POOL +SIZE[^\n]*\ntank +4 GiB +1 GiB +3 GiB +8 GiB +2 +ok/);
    expect(poolTable([{ ...POOL, failure: "x" }])).toContain("FAILED");
  });

  it("has a command for each, all of which are told where the pool is", () => {
    const commands = [
      checkCommand,
      createCommand,
      deleteCommand,
      dumpCommand,
      extendCommand,
      listCommand,
      addCommand,
      removeCommand,
      repairCommand,
      setCommand,
      showCommand,
    ];
    const names = commands.map(({ command }) => String(command).split(" ")[0]);
    expect(new Set(names).size).toBe(commands.length);
    expect(poolCommand.command).toBe("pool");
  });
});
