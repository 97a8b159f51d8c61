import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { read, write } from "../../../../src/initiator/scsi.ts";
import { poolConfig, targetConfig, thinConfig } from "../../support/inventories.ts";
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

  it("are volumes of a pool", async () => {
    const device = bench.path("pool.img");
    const create = { sizeBytes: 64 * MIB, extentBytes: 65_536 };
    const pool = poolConfig({ devices: [device], create });
    const disk = thinConfig("tank", { name: "disk", sizeBytes: 16 * MIB, create: true });
    await bench.harness.plane.change({ name: "test" }, "test", ({ inventory }) => {
      const volumes = new Map([["tank/disk", disk]]);
      return { ...inventory, pools: new Map([["tank", pool]]), volumes };
    });
    await bench.must("-o new -m lu -t 1 -l 1 -b tank/disk -E thin");
    const text = await bench.must("-o show -m target");
    expect(text).toContain("Size: 17 MB");
    expect(text).toContain("Thin-provisioning: Yes\n            Backing store type: thin\n");
    expect(text).toContain("Backing store path: tank/disk\n");
    const session = await bench.login(TARGET);
    await write(session, { lun: 1, lba: 8, blocks: 1, blockBytes: 512 }, Buffer.alloc(512, 7));
    const found = await read(session, { lun: 1, lba: 8, blocks: 1, blockBytes: 512 });
    expect(Buffer.from(found)).toEqual(Buffer.alloc(512, 7));
  });

  it("can be at a target that others have made, which keeps its number then", async () => {
    const name = "iqn.2026-01.com.example:plain";
    await bench.harness.plane.change({ name: "test" }, "test", ({ inventory }) => {
      return { ...inventory, targets: [...inventory.targets, targetConfig(name)] };
    });
    await bench.must("-o new -m lu -t 2 -l 0 -b {}/a.img");
    expect(await bench.must("-o show -m target")).toContain("SCSI ID: IET     00020000\n");
    expect(bench.harness.plane.view.inventory.targets[1]?.tid).toBe(2);
  });

  it("are nothing, and drives without a medium", async () => {
    await bench.must("-o new -m lu -t 1 -l 1 -b /dev/zero -E null", "-o new -m lu -t 1 -l 2");
    const text = await bench.must("-o show -m target");
    expect(text).toContain("Size: 1099512 MB, Block size: 512");
    expect(text).toMatch(/LUN: 2[^]*Size: 0 MB[^]*Online: No\n +Removable media: Yes\n/);
  });
});
