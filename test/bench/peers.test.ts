import { describe, expect, it } from "vitest";
import { LOADS } from "../../bench/loads.ts";
import { PEERS } from "../../bench/peers/all.ts";
import { findProgram } from "../../bench/peers/find.ts";
import { istgtConfig } from "../../bench/peers/istgt.ts";
import { fioArguments, sampleOfFio } from "../../bench/peers/raw-file.ts";
import { spdk, spdkConfig, SPDK_VARIABLE } from "../../bench/peers/spdk.ts";
import type { LoadShape } from "../../bench/result.ts";
import { parseCpuList, targetCpu } from "../../bench/support/placement.ts";

function loadOf(id: string): LoadShape {
  const load = LOADS.find((one) => one.id === id);
  if (load === undefined) throw new Error(`there is no load ${id}`);
  return load;
}

describe("a program", () => {
  it("says its version in its first line", async () => {
    const found = await findProgram(process.execPath, ["--version"]);
    expect(found).toEqual({ version: process.version });
  });

  it("says it also where it ends with an error", async () => {
    const script = "console.error('mine 1.0\\nmore'); process.exit(3)";
    expect(await findProgram(process.execPath, ["-e", script])).toEqual({ version: "mine 1.0" });
  });

  it("is absent where it is not installed", async () => {
    expect(await findProgram("no-such-program-here", [])).toEqual({
      absent: "no-such-program-here is not installed",
    });
  });
});

describe("the peers", () => {
  it("have names of their own, and object to loads in words", () => {
    expect(new Set(PEERS.map(({ name }) => name)).size).toBe(PEERS.length);
    const objections = Object.fromEntries(
      PEERS.map((peer) => [
        peer.name,
        ["4k-random-read-d32", "4k-random-read-d32-digests", "4k-random-read-d32-l16"].map(
          (id) => peer.objection(loadOf(id)) === null,
        ),
      ]),
    );
    expect(objections).toEqual({
      thinlun: [true, true, true],
      tgtd: [true, true, true],
      istgt: [true, true, true],
      spdk: [true, true, true],
      "qemu-nbd": [true, false, false],
      nbdkit: [true, false, false],
      "tcp-echo": [true, false, false],
      "raw-file": [true, false, false],
    });
  });

  it("are told what they serve: istgt", () => {
    const config = istgtConfig("/folder", ["/a", "/b"], { port: 1111, controlPort: 2222 });
    for (const part of [
      '  NodeBase "iqn.2026-11.net.thinlun"\n',
      "  TargetName bench\n",
      "  Portal DA1 127.0.0.1:1111\n",
      "  Portal UC1 127.0.0.1:2222\n",
      "  LUN0 Storage /a Auto\n  LUN1 Storage /b Auto\n",
    ]) {
      expect(config).toContain(part);
    }
  });

  it("are told what they serve: SPDK", () => {
    const config = JSON.parse(spdkConfig(["/a", "/b"], 1111)) as {
      subsystems: { subsystem: string; config: { method: string; params: object }[] }[];
    };
    const calls = config.subsystems.flatMap((subsystem) => subsystem.config);
    expect(calls.filter(({ method }) => method === "bdev_aio_create")).toHaveLength(2);
    expect(calls.find(({ method }) => method === "iscsi_create_target_node")?.params).toMatchObject(
      {
        luns: [
          { bdev_name: "disk0", lun_id: 0 },
          { bdev_name: "disk1", lun_id: 1 },
        ],
      },
    );
  });

  it("are absent where no path is given: SPDK", async () => {
    const before = process.env[SPDK_VARIABLE];
    try {
      Reflect.deleteProperty(process.env, SPDK_VARIABLE);
      expect(await spdk.find()).toEqual({ absent: "SPDK_ISCSI_TGT does not name an iscsi_tgt" });
      process.env[SPDK_VARIABLE] = "/nowhere/iscsi_tgt";
      expect(await spdk.find()).toEqual({ absent: "/nowhere/iscsi_tgt is not installed" });
    } finally {
      if (before === undefined) Reflect.deleteProperty(process.env, SPDK_VARIABLE);
      else process.env[SPDK_VARIABLE] = before;
    }
  });
});

describe("fio", () => {
  const signal = new AbortController().signal;
  const request = { diskBytes: 1 << 28, seconds: 0.3, placement: "free", signal } as const;

  it("does what the load says", () => {
    const cold = fioArguments({ ...request, load: loadOf("4k-random-read-d32-cold") }, "/f");
    expect(cold).toEqual(expect.arrayContaining(["--rw=randread", "--numjobs=32", "--bs=4096"]));
    const flush = fioArguments({ ...request, load: loadOf("4k-random-write-d32-flush32") }, "/f");
    expect(flush).toEqual(
      expect.arrayContaining(["--rw=randwrite", "--numjobs=1", "--fsync=32", "--filename=/f"]),
    );
    const sessions = fioArguments({ ...request, load: loadOf("4k-random-read-d4-s4") }, "/f");
    expect(sessions).toContain("--numjobs=4");
  });

  const idle = { total_ios: 0, iops: 0, bw_bytes: 0, clat_ns: { mean: 0 } };
  const percentile = { "50.000000": 1500, "99.000000": 9000, "99.900000": 20_000 };
  const read = { total_ios: 10, iops: 100, bw_bytes: 4e5, clat_ns: { mean: 2000, percentile } };

  it("is understood, behind whatever it says first", () => {
    const text = `a note\n${JSON.stringify({ jobs: [{ read, write: idle }] })}`;
    expect(sampleOfFio(text)).toMatchObject({
      operations: 10,
      operationsPerSecond: 100,
      bytesPerSecond: 4e5,
      latency: { meanUs: 2, p50Us: 1.5, p99Us: 9, p999Us: 20 },
      cpuUsPerOperation: null,
    });
  });

  it("has one rate of reads and writes, and no latency of both", () => {
    const mixed = sampleOfFio(JSON.stringify({ jobs: [{ read, write: read }] }));
    expect(mixed).toMatchObject({ operations: 20, operationsPerSecond: 200, latency: null });
  });
});

describe("the placement", () => {
  it("reads lists of CPUs", () => {
    expect(parseCpuList("0\n")).toEqual([0]);
    expect(parseCpuList("0,4-6")).toEqual([0, 4, 5, 6]);
  });

  it("takes a target to another core than the load's, where there is one", () => {
    expect(targetCpu([0], 2)).toBe(1);
    expect(targetCpu([0, 1], 4)).toBe(2);
    expect(targetCpu([0, 1], 2)).toBe(1);
    expect(targetCpu([0], 1)).toBe(0);
  });
});
