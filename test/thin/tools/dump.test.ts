import { describe, expect, it } from "vitest";
import { ErrorFilter } from "../../../src/device/error-filter.ts";
import { dumpPool, linesOfDump } from "../../../src/thin/tools/dump.ts";
import { EXAMPLE_RECORDS } from "../format/support/example-pool.ts";
import { destroy, exampleDevice, offsetOf } from "./support/example-data.ts";

describe("the dump of a pool", () => {
  it("says in values what lies on the devices", async () => {
    const dump = await dumpPool([await exampleDevice()], { maps: true, journal: true });
    expect(JSON.parse(JSON.stringify(dump))).toEqual(dump);
    expect(dump).toMatchObject({ name: "tank", faults: [] });
    expect(dump.superblocks.map(({ superblock }) => superblock?.generation ?? null)).toEqual([
      null,
      5,
      null,
      null,
    ]);
    expect(dump.checkpoint?.volumes.map(({ map }) => map)).toEqual([
      [
        { lext: 0, run: 2, phys: 17, partial: null },
        { lext: 9, run: 1, phys: 20, partial: { mask: 0x8001, base: 19 } },
      ],
      [
        { lext: 0, run: 2, phys: 17, partial: null },
        { lext: 9, run: 1, phys: 19, partial: null },
      ],
    ]);
    expect(dump.journal?.map(({ records }) => records)).toEqual(EXAMPLE_RECORDS);
  });

  it("holds only what was asked for", async () => {
    const device = await exampleDevice();
    const dump = await dumpPool([device]);
    expect(dump.journal).toBeNull();
    expect(dump.checkpoint?.volumes.map(({ map }) => map)).toEqual([null, null]);
    const one = await dumpPool([device], { maps: ["data@mon"] });
    expect(one.checkpoint?.volumes.map(({ map }) => map?.length ?? null)).toEqual([null, 2]);
  });

  it("is readable", async () => {
    const dump = await dumpPool([await exampleDevice()], { maps: true, journal: true });
    const lines = [...linesOfDump(dump)];
    expect(lines).toContain("segment 0 device 0 offset 9437184 extents 848 virgin 106");
    expect(lines).toContain("  9 +1 -> 20 partial mask 0x8001 base 19");
    expect(lines.join("\n")).toMatch(/volume 2 "data@mon" .* 1 GiB snapshot of 1 read-only maps 3/);
    expect(lines.join("\n")).toMatch(/journal 43 \{"kind":"barrier","upto":42\}/);
    expect(lines.join("\n")).toMatch(/superblock example at 3211264: generation 5, epoch 3/);
  });

  it("says what is broken", async () => {
    const device = await exampleDevice();
    await destroy(device, ["node of data"]);
    const dump = await dumpPool([device], { maps: true });
    expect(dump.faults).toEqual([expect.stringContaining("node page 0 of level 1 (block 4)")]);
    expect([...linesOfDump(dump)].at(-1)).toMatch(/^fault node page/);
    await destroy(device, ["root"]);
    expect((await dumpPool([device])).checkpoint).toBeNull();
  });

  it("holds what can be read of the journal", async () => {
    const device = new ErrorFilter(await exampleDevice());
    const startBytes = offsetOf("journal block 43");
    device.setRules([{ error: "medium", startBytes, endBytes: startBytes + 4096 }]);
    const dump = await dumpPool([device], { journal: true });
    expect(dump.journal?.map(({ seq }) => seq)).toEqual([42]);
    expect(dump.faults.join()).toContain("cannot be read: 1, the first is 43");
    device.setRules([{ error: "medium", startBytes: 8 * 2 ** 20, endBytes: 9 * 2 ** 20 }]);
    const none = await dumpPool([device], { journal: true });
    expect([none.journal, none.checkpoint?.volumes.length]).toEqual([null, 2]);
    expect(none.faults.join()).toContain("the journal cannot be read");
  });
});
