import { describe, expect, it } from "vitest";
import { COMMANDS } from "../../src/scsi/command-table.ts";
import { controllerUnit } from "../../src/scsi/controller-unit.ts";
import { LogicalUnit } from "../../src/scsi/logical-unit.ts";
import type { Nexus } from "../../src/scsi/nexus.ts";
import { Sense } from "../../src/scsi/sense.ts";
import { TaskManagementFunction } from "../../src/scsi/task-management.ts";
import { bare } from "./support/bare-cdb.ts";
import { Bench, TARGET_NAME } from "./support/bench.ts";
import { expectSense } from "./support/expect-sense.ts";
import { FakeVolume } from "./support/fake-volume.ts";

const CONTROLLER_LUN = 5;
const AT = { lun: CONTROLLER_LUN };
const TEST_UNIT_READY = "00 00 000000 00";

/** A target with a disk at LUN 0 and a controller behind it, to which the power-on attention was reported. */
function bench(): Bench {
  const made = new Bench();
  const unit = controllerUnit({ target: TARGET_NAME, nowMs: () => 0 });
  made.device.attach(CONTROLLER_LUN, unit);
  settle(made, made.nexus);
  return made;
}

function settle({ device }: Bench, nexus: Nexus): void {
  for (const unit of device.units.values()) while (nexus.takeAttention(unit) !== -1);
}

describe("a controller", () => {
  it("is ready, and says what it is", () => {
    const made = bench();
    expect(made.run(TEST_UNIT_READY, AT).status).toBe(0);
    expect(made.run("03 00 0000 ff 00", AT).dataIn?.readUInt8(2)).toBe(0);
    const standard = made.run("12 00 00 00ff 00", AT).dataIn ?? Buffer.alloc(0);
    expect(standard.subarray(0, 8).toString("hex")).toBe("0c0006125b000002");
    expect(standard.toString("latin1", 8, 36)).toBe("THINLUN CONTROLLER      0001");
    // SAM-5, iSCSI and SPC-4, but no SBC-3: it is no disk.
    expect(standard.subarray(58, 66).toString("hex")).toBe("00a0096004600000");
  });

  it("has the pages of every unit, and none of a disk", () => {
    const made = bench();
    const pages = made.run("12 01 00 00ff 00", AT).dataIn ?? Buffer.alloc(0);
    expect(pages.toString("hex")).toBe("0c00000400808386");
    for (const code of pages.subarray(4)) {
      const page = made.run(Uint8Array.from([0x12, 1, code, 0, 255, 0]), AT).dataIn;
      expect(page?.subarray(0, 2)).toEqual(Buffer.from([0x0c, code]));
    }
    for (const code of ["b0", "b1", "b2"]) {
      expectSense(made.run(`12 01 ${code} 00ff 00`, AT), Sense.invalidFieldInCdb, 2);
    }
  });

  it("has an identity that follows from its target's name, and one that was set", () => {
    const nowMs = (): number => 0;
    const one = controllerUnit({ target: "iqn.2026-01.io.thinlun:a", nowMs });
    const again = controllerUnit({ target: "iqn.2026-01.io.thinlun:a", nowMs });
    const other = controllerUnit({ target: "iqn.2026-01.io.thinlun:b", nowMs });
    expect(one.identity).toEqual(again.identity);
    expect(one.identity.serial).toMatch(/^[0-9a-f]{12}8[0-9a-f]{3}[89ab][0-9a-f]{15}$/);
    expect(one.identity.serial).not.toBe(other.identity.serial);
    expect(Buffer.from(one.identity.naa).equals(other.identity.naa)).toBe(false);
    const set = controllerUnit({ target: "x", nowMs, vendor: "IET", product: "Controller" });
    expect(set.identity).toMatchObject({ vendor: "IET", product: "Controller" });
  });

  it("refuses every command of a disk by its operation code, and reports the others", () => {
    const made = bench();
    const refused = COMMANDS.filter(({ diskOnly }) => diskOnly);
    for (const command of refused) {
      expectSense(made.run(bare(command), AT), Sense.invalidCommandOperationCode);
    }
    expect(refused.length).toBe(COMMANDS.length - 5);
    expectSense(made.run("9e 1f", AT), Sense.invalidCommandOperationCode);
    expectSense(made.run("ff", AT), Sense.invalidCommandOperationCode);
    const codes = made.run("a3 0c 00 00 0000 0000ffff 00 00", AT).dataIn ?? Buffer.alloc(4);
    const listed = [];
    for (let at = 4; at < codes.length; at += 8) listed.push(codes.readUInt8(at));
    expect(listed).toEqual([0x00, 0x03, 0x12, 0xa0, 0xa3]);
    expectSense(made.run("a3 1f 00 00 0000 0000ffff 00 00", AT), Sense.invalidFieldInCdb, 0xc0001);
  });

  it("is among the LUNs that REPORT LUNS lists, there and elsewhere", () => {
    const made = bench();
    for (const lun of [0, CONTROLLER_LUN]) {
      const data = made.run("a0 00 00 000000 000000ff 00 00", { lun }).dataIn;
      expect(data?.toString("hex")).toBe(
        "0000001000000000" + "0000000000000000" + "0005" + "00".repeat(6),
      );
    }
  });

  it("has unit attentions and task management as any unit", () => {
    const made = bench();
    const nexus = made.device.openNexus({ initiatorPort: "x,i,0x2", relativePortId: 1 });
    const at = { ...AT, nexus };
    expectSense(made.run(TEST_UNIT_READY, at), Sense.powerOnResetOrBusDeviceResetOccurred);
    expect(made.run(TEST_UNIT_READY, at).status).toBe(0);
    const volume = new FakeVolume(8192);
    made.device.attach(1, new LogicalUnit({ volume, blockBytes: 512, nowMs: () => 0 }));
    expectSense(made.run(TEST_UNIT_READY, at), Sense.reportedLunsDataHasChanged);
    const answers: number[] = [];
    const reset = { nexus, function: TaskManagementFunction.logicalUnitReset, tag: 0 };
    made.device.manage({ ...reset, lun: CONTROLLER_LUN }, (answer) => answers.push(answer));
    expect(answers).toEqual([0]);
    expectSense(made.run(TEST_UNIT_READY, at), Sense.busDeviceResetFunctionOccurred);
    let detached = false;
    made.device.detach(CONTROLLER_LUN, () => (detached = true));
    expect(detached).toBe(true);
    expectSense(made.run(TEST_UNIT_READY, at), Sense.logicalUnitNotSupported);
  });

  it("takes settings that mean something for it", () => {
    const made = bench();
    const unit = made.device.units.get(CONTROLLER_LUN);
    expect(unit?.configure({ descriptorSense: true, writeCache: false })).toBe(true);
    expectSense(made.run(TEST_UNIT_READY, AT), Sense.modeParametersChanged);
    expect(made.run("ff", AT).senseData).toMatchObject({ descriptorFormat: true });
  });
});
