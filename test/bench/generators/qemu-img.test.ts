import { describe, expect, it } from "vitest";
import { qemuImg, qemuImgCommand, secondsOfQemuImg } from "../../../bench/generators/qemu-img.ts";
import { driveOf, loadOf, sayings, URL } from "../support/drives.ts";

/** As qemu-img 7.2 has said it. */
const WRITES =
  "Sending 4000 write requests, 131072 bytes each, 16 in parallel (starting at offset 0, step size 131072)\nRun completed in 1.073 seconds.\n";
const TRIAL = WRITES.replace("4000", "512").replace("1.073", "0.128");

const WRITE = "128k-sequential-write-d16";

describe("qemu-img bench", () => {
  it("is told the load", () => {
    expect(qemuImgCommand(driveOf(WRITE), 4000).join(" ")).toBe(
      `qemu-img bench -f raw -c 4000 -d 16 -s 131072 -w --pattern=165 ${URL}`,
    );
    expect(qemuImgCommand(driveOf("1m-sequential-read-d8"), 64).join(" ")).toBe(
      `qemu-img bench -f raw -c 64 -d 8 -s 1048576 ${URL}`,
    );
  });

  it("is understood", () => {
    expect(secondsOfQemuImg(WRITES, driveOf(WRITE), 4000)).toBe(1.073);
  });

  it("makes as many requests as the time has room for, by a trial", async () => {
    const commands: string[] = [];
    const driven = await qemuImg.drive(driveOf(WRITE), sayings(commands, TRIAL, WRITES));
    expect(commands.map((command) => /-c (\d+)/.exec(command)?.[1])).toEqual(["512", "4000"]);
    expect(driven).toMatchObject({ operations: 4000, latency: null });
    expect(driven.operationsPerSecond).toBeCloseTo(4000 / 1.073);
  });

  it("makes a bounded number where the trial took no time at all", async () => {
    const commands: string[] = [];
    const instant = TRIAL.replace("0.128", "0.000");
    await expect(qemuImg.drive(driveOf(WRITE), sayings(commands, instant))).rejects.toThrow(
      "does not say",
    );
    expect(commands[1]).toContain("-c 51200 ");
  });

  it.each([
    ["of other requests", WRITES.replace("4000", "400"), 'does not say "Sending 4000 write'],
    ["of reads", WRITES.replace("write", "read"), 'does not say "Sending 4000 write'],
    ["in strides", WRITES.replace("step size 131072", "step size 4096"), "does not say"],
    ["that does not end", WRITES.slice(0, -10), "tells no time"],
    ["of nothing", "", "does not say"],
  ])("is not believed: an output %s", (_name, output, complaint) => {
    expect(() => secondsOfQemuImg(output, driveOf(WRITE), 4000)).toThrow(complaint);
  });

  it("says which loads it has not", () => {
    const objections = [
      WRITE,
      "128k-sequential-read-d8",
      "4k-random-read-d32",
      "128k-sequential-read-d16-digests",
    ].map((id) => qemuImg.objection(loadOf(id)));
    const [digests, random] = ["it does not ask for digests", "it has no random offsets"];
    expect(objections).toEqual([null, null, random, digests]);
  });
});
