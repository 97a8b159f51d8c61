import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { TgtBench } from "../support/tgt-bench.ts";

const TARGET = "iqn.2026-01.com.example:one";
const MIB = 1024 * 1024;
let bench: TgtBench;

beforeEach(async () => {
  bench = await TgtBench.start();
  bench.file("a.img", 8 * MIB);
  await bench.must(`-o new -m target -t 1 -T ${TARGET}`, "-o bind -m target -t 1 -I ALL");
});

afterEach(async () => {
  await bench.dispose();
});

describe("logical units", () => {
  it("come with their volumes and go with them", async () => {
    await bench.must("-o new -m lu -t 1 -l 1 -b {}/a.img", "-o new -m lu -t 1 -l 2 -b {}/a.img");
    const { volumes } = bench.harness.parts.volumes;
    expect([...volumes.keys()]).toEqual([bench.path("a.img")]);
    await bench.must("-o delete -m lu -t 1 -l 1");
    expect(volumes.size).toBe(1);
    await bench.must("-o delete -m lu -t 1 -l 2");
    expect(volumes.size).toBe(0);
  });

  it("are refused where they cannot be had", async () => {
    await bench.must("-o new -m lu -t 1 -l 1 -b {}/a.img");
    const cases = [
      ["-l 1 -b {}/a.img", "this logical unit number already exists"],
      ["-l 0 -b {}/a.img", "this logical unit number already exists"],
      ["-l 2 -b {}/none.img", "invalid request"],
      ["-l 2 -b {}", "invalid request"],
      ["-l 2 -b {}/a.img -y 1024", "invalid request"],
      ["-l 2 -b {}/a.img -Y cd", "invalid request"],
      ["-l 2 -b {}/a.img -E ssc", "invalid request"],
      ["-l 2 -b tank/disk -E thin", "invalid request"],
      ["-l 16384 -b {}/a.img", "invalid request"],
      ["-l 18446744073709551614 -b {}/a.img", "invalid request"],
    ] as const;
    for (const [words, complaint] of cases) {
      const line = `-o new -m lu -t 1 ${words}`;
      expect(await bench.complaint(line), line).toBe(complaint);
    }
    expect(await bench.complaint("-o delete -m lu -t 1 -l 7")).toBe("can't find the logical unit");
  });

  it("keep what is written, write by write where that is asked for", async () => {
    await bench.must("-o new -m lu -t 1 -l 1 -b {}/a.img -f sync -y 4096");
    const unit = bench.harness.server.targets.get(TARGET)?.device.units.get(1);
    expect(unit).toMatchObject({ writeCache: false, blockBytes: 4096 });
    expect(await bench.must("-o show -m target")).toContain("Backing store flags: sync\n");
  });

  it("are nothing, and drives without a medium", async () => {
    await bench.must("-o new -m lu -t 1 -l 1 -b /dev/zero -E null", "-o new -m lu -t 1 -l 2");
    const text = await bench.must("-o show -m target");
    expect(text).toContain("Size: 1099512 MB, Block size: 512");
    expect(text).toMatch(/LUN: 2[^]*Size: 0 MB[^]*Online: No\n +Removable media: Yes\n/);
  });
});
