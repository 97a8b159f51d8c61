import { describe, expect, it } from "vitest";
import { COMMANDS } from "../../../src/scsi/command-table.ts";
import { cdbField, Sense } from "../../../src/scsi/sense.ts";
import { Bench } from "../support/bench.ts";
import { expectSense } from "../support/expect-sense.ts";

function report(options: string, code: string = "00", action: string = "0000"): Buffer {
  const task = new Bench().run(`a3 0c ${options} ${code} ${action} 0000ffff 00 00`);
  expect(task.status).toBe(0);
  return task.dataIn ?? Buffer.alloc(0);
}

describe("REPORT SUPPORTED OPERATION CODES", () => {
  it("lists every row of the table", () => {
    const data = report("00");
    expect(data.readUInt32BE(0)).toBe(COMMANDS.length * 8);
    const listed = COMMANDS.map((_command, index) =>
      data.toString("hex", 4 + index * 8, 12 + index * 8),
    );
    expect(listed).toContain("280000000000000a");
    expect(listed).toContain("9e00001000010010");
  });

  it("adds timeouts when asked", () => {
    const data = report("80");
    expect(data.length).toBe(4 + COMMANDS.length * 20);
    expect(data.toString("hex", 4, 24)).toBe("0000000000020006" + "000a" + "00".repeat(10));
    expect(report("81", "28").toString("hex")).toBe(
      "0083000a" + "281effffffff3fffff00" + "000a" + "00".repeat(10),
    );
  });

  it("shows one command", () => {
    expect(report("01", "00").toString("hex")).toBe("00030006000000000000");
    expect(report("02", "9e", "0010").toString("hex")).toBe(
      "000300109e10ffffffffffffffffffffffff0100",
    );
    expect(report("03", "a3", "000c").readUInt8(1)).toBe(3);
    expect(report("03", "28", "0000").readUInt8(1)).toBe(3);
  });

  it("says what is not there", () => {
    for (const [options, code, action] of [
      ["01", "ff", "0000"],
      ["02", "9e", "0011"],
      ["02", "ff", "0000"],
      ["03", "9e", "0000"],
      ["03", "28", "0001"],
    ] as const) {
      expect(report(options, code, action).toString("hex")).toBe("00010000");
    }
  });

  it("refuses the wrong option for a command, and unknown ones", () => {
    const bench = new Bench();
    for (const command of ["01 9e 0010", "02 28 0000", "04 28 0000", "07 28 0000"]) {
      const task = bench.run(`a3 0c ${command} 0000ffff 00 00`);
      expectSense(task, Sense.invalidFieldInCdb, cdbField(2, 2));
    }
    const reserved = bench.run("a3 0c 08 28 0000 0000ffff 00 00");
    expectSense(reserved, Sense.invalidFieldInCdb, cdbField(2, 6));
  });
});
