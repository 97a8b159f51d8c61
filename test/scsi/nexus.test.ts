import { describe, expect, it } from "vitest";
import { Sense } from "../../src/scsi/sense.ts";
import { Bench } from "./support/bench.ts";

function taken(bench: Bench): number[] {
  const codes: number[] = [];
  for (;;) {
    const code = bench.nexus.takeAttention(bench.unit);
    if (code === -1) return codes;
    codes.push(code);
  }
}

describe("unit attentions", () => {
  it("come in the order in which they were raised, each once", () => {
    const bench = new Bench();
    bench.unit.raise(Sense.capacityDataHasChanged);
    bench.unit.raise(Sense.modeParametersChanged);
    bench.unit.raise(Sense.capacityDataHasChanged);
    expect(bench.nexus.attentionCount).toBe(2);
    expect(taken(bench)).toEqual([Sense.capacityDataHasChanged, Sense.modeParametersChanged]);
    expect(bench.nexus.attentionCount).toBe(0);
  });

  it("put a reset before all others, and one reset only", () => {
    const bench = new Bench();
    bench.unit.raise(Sense.capacityDataHasChanged);
    bench.unit.raise(Sense.powerOnOccurred);
    bench.unit.raise(Sense.busDeviceResetFunctionOccurred);
    expect(taken(bench)).toEqual([Sense.powerOnOccurred, Sense.capacityDataHasChanged]);
  });

  it("are bounded", () => {
    const bench = new Bench();
    for (let ascq = 0; ascq < 100; ascq++) bench.unit.raise(0x6_2a_00 | ascq);
    expect(bench.nexus.attentionCount).toBe(16);
    expect(taken(bench).length).toBe(16);
    expect(bench.nexus.attentionCount).toBe(0);
  });

  it("leave out the nexus whose doing it was", () => {
    const bench = new Bench();
    const other = bench.open("x,i,0x2");
    bench.unit.raise(Sense.modeParametersChanged, bench.nexus);
    expect([bench.nexus.attentionCount, other.attentionCount]).toEqual([0, 1]);
  });
});
