import { describe, expect, it } from "vitest";
import { COMMANDS } from "../../src/scsi/command-table.ts";
import { Access } from "../../src/scsi/command.ts";
import { cdbField, Sense } from "../../src/scsi/sense.ts";
import { bare } from "./support/bare-cdb.ts";
import { Bench } from "./support/bench.ts";
import { expectSense } from "./support/expect-sense.ts";

describe("every row of the table", () => {
  it.each(COMMANDS.map((command) => [command.name, command] as const))(
    "%s refuses each bit that it does not use, with a pointer to its field",
    (_name, command) => {
      for (let byte = 1; byte < command.cdbBytes; byte++) {
        const reserved = command.reserved[byte] ?? 0;
        for (let bit = 0; bit < 8; bit++) {
          if ((reserved & (1 << bit)) === 0) continue;
          const buffer = bare(command);
          buffer.writeUInt8(buffer.readUInt8(byte) | (1 << bit), byte);
          const task = new Bench().run(buffer);
          expect([byte, bit, task.senseCode]).toEqual([byte, bit, Sense.invalidFieldInCdb]);
          const field = task.senseData?.field ?? -1;
          expect(field & 0xffff).toBe(byte);
          const pointed = (field >>> 16) & 7;
          expect(pointed).toBeGreaterThanOrEqual(bit);
          for (let between = bit; between <= pointed; between++) {
            expect(reserved & (1 << between)).not.toBe(0);
          }
          expect(task.solicitedBytes).toBe(0);
        }
      }
    },
  );

  it.each(COMMANDS.map((command) => [command.name, command] as const))(
    "%s refuses a CDB that is cut short",
    (_name, command) => {
      for (let cdbBytes = 1; cdbBytes < command.cdbBytes; cdbBytes++) {
        const task = new Bench().run(bare(command), { cdbBytes });
        expectSense(task, Sense.invalidFieldInCdb, cdbField(cdbBytes));
      }
    },
  );

  it("reports a waiting attention, or runs and leaves it", () => {
    for (const command of COMMANDS) {
      const bench = new Bench();
      bench.unit.raise(Sense.modeParametersChanged);
      const task = bench.run(bare(command));
      if (command.allowedWithUnitAttention) {
        expect([command.name, task.senseCode]).not.toEqual([command.name, 0x6_2a_01]);
      } else {
        expectSense(task, Sense.modeParametersChanged);
        expect(bench.nexus.attentionCount).toBe(0);
      }
    }
    const allowed = COMMANDS.filter((command) => command.allowedWithUnitAttention);
    expect(allowed.map(({ name }) => name)).toEqual(["REQUEST SENSE", "INQUIRY", "REPORT LUNS"]);
  });

  it("keeps its hands off a stopped unit where it needs the medium", () => {
    for (const command of COMMANDS) {
      const bench = new Bench();
      bench.unit.stopped = true;
      const task = bench.run(bare(command));
      const notReady = task.senseCode === Sense.notReadyInitializingCommandRequired;
      expect([command.name, notReady]).toEqual([command.name, command.access !== Access.none]);
    }
  });

  it("does not write where it must not", () => {
    for (const command of COMMANDS) {
      const bench = new Bench({ settings: { readOnly: true } });
      const task = bench.run(bare(command));
      const refused = task.senseCode === Sense.writeProtected;
      expect([command.name, refused]).toEqual([command.name, command.access === Access.write]);
    }
  });
});
