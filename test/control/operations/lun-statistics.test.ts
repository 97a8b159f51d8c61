import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { read, write } from "../../../src/initiator/scsi.ts";
import { DISK, DaemonBench, HOST } from "./support/daemon-bench.ts";

let bench: DaemonBench;

beforeEach(async () => {
  bench = await DaemonBench.make();
});

afterEach(() => bench.dispose());

describe("statistics of LUNs", () => {
  it("tell what each initiator has done, and only grow", async () => {
    await bench.makePool("a");
    await bench.run("target/create", { name: DISK });
    await bench.run("target/map", { target: DISK, volume: "tank/a" });
    expect((await bench.run("lun/stat", {})).luns).toEqual([]);
    const session = await bench.login();
    const range = { lun: 0, lba: 0, blocks: 8, blockBytes: 512 };
    await write(session, range, new Uint8Array(4096));
    await read(session, range);
    await read(session, range);
    const { atMs, luns } = await bench.run("lun/stat", { target: DISK });
    expect(luns).toHaveLength(1);
    expect(luns[0]).toMatchObject({
      target: DISK,
      lun: 0,
      initiator: HOST,
      readBytes: 8192,
      writtenBytes: 4096,
      running: 0,
    });
    expect(luns[0]?.reads).toBeGreaterThanOrEqual(2);
    expect(luns[0]?.latencyMs).toBeGreaterThan(0);
    await session.logout();
    const later = await bench.run("lun/stat", {});
    expect(later.atMs).toBeGreaterThan(atMs);
    expect(later.luns[0]?.readBytes).toBe(8192);
    await expect(
      bench.run("lun/stat", { target: "iqn.2026-11.net.example:none" }),
    ).rejects.toMatchObject({ kind: "missing" });
  });
});
