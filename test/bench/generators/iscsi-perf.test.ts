import { describe, expect, it } from "vitest";
import {
  iscsiPerf,
  iscsiPerfCommand,
  rateOfIscsiPerf,
} from "../../../bench/generators/iscsi-perf.ts";
import { driveOf, loadOf, sayings, URL } from "../support/drives.ts";

/** As libiscsi 1.19 has said it, but for the line with its version. */
const RANDOM = [
  "\nconnected to iscsi://127.0.0.1:3260/iqn.2026-11.net.thinlun:bench/1",
  "capacity is 131072 blocks or 67108864 byte (64 MB)",
  "performing RANDOM READ with 32 parallel requests",
  "FIXED transfer size of 8 blocks (4096 byte)",
  "will run for 1 seconds.\n",
  "\riops average 37846 (147 MB/s)                                                        ",
  "\nfinished.\n",
].join("\n");
const SEQUENTIAL = [
  "\nconnected to iscsi://127.0.0.1:3260/iqn.2026-11.net.thinlun:bench/1",
  "capacity is 131072 blocks or 67108864 byte (64 MB)",
  "performing SEQUENTIAL READ with 16 parallel requests",
  "FIXED transfer size of 256 blocks (131072 byte)",
  "will run for 2 seconds.\n",
  "\r00:00:01 - lba 68608, iops current 8961 (1120 MB/s), iops average 8961 (1120 MB/s), in_flight 16, busy 0        \riops average 8263 (1032 MB/s)                                                        ",
  "\nfinished.\n",
].join("\n");

describe("iscsi-perf", () => {
  it("is told the load", () => {
    expect(iscsiPerfCommand(driveOf("4k-random-read-d32", 0.3)).join(" ")).toBe(
      `iscsi-perf -t 1 -m 32 -b 8 -r ${URL}`,
    );
    expect(iscsiPerfCommand(driveOf("128k-sequential-read-d16", 2)).join(" ")).toBe(
      `iscsi-perf -t 2 -m 16 -b 256 ${URL}`,
    );
  });

  it("is understood", () => {
    expect(rateOfIscsiPerf(RANDOM, driveOf("4k-random-read-d32"))).toBe(37_846);
    expect(rateOfIscsiPerf(SEQUENTIAL, driveOf("128k-sequential-read-d16", 2))).toBe(8263);
  });

  it("counts what the whole seconds have made", async () => {
    const commands: string[] = [];
    const driven = await iscsiPerf.drive(
      driveOf("128k-sequential-read-d16", 1.5),
      sayings(commands, SEQUENTIAL),
    );
    expect(driven).toMatchObject({ operations: 16_526, operationsPerSecond: 8263, latency: null });
    expect(commands).toHaveLength(1);
  });

  it.each([
    ["of another load", RANDOM.replace("32 parallel", "16 parallel"), "performing RANDOM READ"],
    ["of another size", RANDOM.replace("(4096 byte)", "(8192 byte)"), "FIXED transfer size of 8"],
    ["of another time", RANDOM.replace("for 1 sec", "for 9 sec"), "will run for 1 seconds."],
    ["that does not end", RANDOM.replace("finished.\n", ""), "tells no rate"],
    ["without a rate", RANDOM.replace("37846", "many"), "tells no rate"],
    ["in which nothing was done", RANDOM.replace("37846", "0"), "tells no rate"],
    ["of nothing", "", "does not say"],
  ])("is not believed: an output %s", (_name, output, complaint) => {
    expect(() => rateOfIscsiPerf(output, driveOf("4k-random-read-d32"))).toThrow(complaint);
  });

  it("says which loads it has not", () => {
    const objections = [
      "4k-random-read-d32",
      "4k-random-read-d32-cold",
      "4k-random-write-d32",
      "4k-random-mixed-d4",
      "4k-random-read-d4-s4",
      "4k-random-read-d32-l16",
      "4k-random-read-d32-digests",
      "64k-random-unmap-d8",
    ].map((id) => iscsiPerf.objection(loadOf(id)));
    expect(objections).toEqual([
      null,
      null,
      "it only reads",
      "it reads or writes",
      "it has one session",
      "it has one LUN",
      "it does not ask for digests",
      "it reads or writes",
    ]);
  });
});
