import { truncateSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { LogicalUnit } from "../../../../src/scsi/logical-unit.ts";
import { TgtBench } from "../support/tgt-bench.ts";

const TARGET = "iqn.2026-01.com.example:one";
const MIB = 1024 * 1024;
const UPDATE = "-o update -m lu -t 1 -l 1 -P";
let bench: TgtBench;

beforeEach(async () => {
  bench = await TgtBench.start();
  bench.file("a.img", 8 * MIB);
  bench.file("b.img", 16 * MIB);
  await bench.must(
    `-o new -m target -t 1 -T ${TARGET}`,
    "-o bind -m target -t 1 -I ALL",
    "-o new -m lu -t 1 -l 1 -b {}/a.img",
  );
});

afterEach(async () => {
  await bench.dispose();
});

function unit(): LogicalUnit | undefined {
  return bench.harness.server.targets.get(TARGET)?.device.units.get(1);
}

describe("updates of a logical unit", () => {
  it("are in effect at once, all of them or none", async () => {
    await bench.must(`${UPDATE} readonly=1,removable=1,vendor_id=ACME`);
    expect(unit()).toMatchObject({ readOnly: true, effective: { removable: true } });
    expect(unit()?.identity.vendor.trim()).toBe("ACME");
    expect(await bench.complaint(`${UPDATE} readonly=0,bsopts=x`)).toBe("invalid request");
    expect(unit()?.readOnly).toBe(true);
  });

  it("take up a new size of the medium", async () => {
    truncateSync(bench.path("a.img"), 32 * MIB);
    await bench.must(`${UPDATE} online=0`, `${UPDATE} path=${bench.path("a.img")}`);
    expect(unit()).toMatchObject({ capacityBlocks: (32 * MIB) / 512, online: true });
  });

  it("put another medium in, whether initiators are there or not", async () => {
    await bench.must(`${UPDATE} online=0`, `${UPDATE} path=${bench.path("b.img")}`);
    expect(unit()?.capacityBlocks).toBe((16 * MIB) / 512);
    await bench.login(TARGET);
    await bench.must(`${UPDATE} online=0,path=${bench.path("a.img")}`);
    expect(unit()?.capacityBlocks).toBe((8 * MIB) / 512);
    const missing = `${UPDATE} online=0,path=${bench.path("none.img")}`;
    expect(await bench.complaint(missing)).toBe("invalid request");
    expect(unit()).toMatchObject({ capacityBlocks: (8 * MIB) / 512, online: true });
  });

  it("leave the medium where an initiator wants it to stay, and the controller as it is", async () => {
    await bench.login(TARGET);
    const [nexus] = unit()?.nexuses ?? [];
    if (nexus !== undefined) unit()?.preventingRemoval.add(nexus);
    expect(await bench.complaint(`${UPDATE} online=0`)).toBe("this device has Prevent Removal set");
    expect(await bench.must("-o show -m target")).toContain("Prevent removal: Yes");
    const controller = "-o update -m lu -t 1 -l 0 -P readonly=1";
    expect(await bench.complaint(controller)).toBe("invalid request");
  });
});
