import { describe, expect, it } from "vitest";
import {
  fioLibiscsi,
  fioLibiscsiCommand,
  hasLibiscsi,
} from "../../../bench/generators/fio-libiscsi.ts";
import { driveOf, sayings } from "../support/drives.ts";

describe("fio with libiscsi", () => {
  it("is there where fio lists the engine", () => {
    const debian = "Available IO engines:\n\tcpuio\n\tpsync\n\tnbd\n\tlibaio\n\tlibpmem\n";
    expect(hasLibiscsi(debian)).toBe(false);
    expect(hasLibiscsi(`${debian}\tlibiscsi\n`)).toBe(true);
    expect(hasLibiscsi("\tlibiscsi-like\n")).toBe(false);
  });

  it("is told the load, with an address in which no colon ends a name", () => {
    const command = fioLibiscsiCommand(driveOf("4k-random-write-d32"));
    const filename = String.raw`--filename=iscsi\://127.0.0.1\:3260/iqn.2026-11.net.thinlun\:bench/1`;
    expect(command).toEqual(
      expect.arrayContaining([filename, "--rw=randwrite", "--bs=4096", "--iodepth=32"]),
    );
    expect(fioLibiscsiCommand(driveOf("1m-sequential-read-d8"))).toContain("--rw=read");
  });

  it("tells latencies", async () => {
    const idle = { total_ios: 0, iops: 0, bw_bytes: 0, clat_ns: { mean: 0 } };
    const percentile = { "50.000000": 1500, "99.000000": 9000, "99.900000": 20_000 };
    const read = { total_ios: 10, iops: 100, bw_bytes: 4e5, clat_ns: { mean: 2000, percentile } };
    const output = JSON.stringify({ jobs: [{ read, write: idle }] });
    const driven = await fioLibiscsi.drive(driveOf("4k-random-read-d32"), sayings([], output));
    expect(driven).toMatchObject({
      operations: 10,
      operationsPerSecond: 100,
      latency: { meanUs: 2, p50Us: 1.5, p99Us: 9, p999Us: 20 },
    });
  });
});
