import { describe, expect, it } from "vitest";
import { compareEarlier, EarlierError, parseEarlier, readEarlier } from "../../bench/earlier.ts";
import { differencesOf, machineText, thisMachine } from "../../bench/machine.ts";
import { MACHINE, result, row, sample } from "./support/results.ts";

describe("the machine of an earlier run", () => {
  it("is this one with another Node, and with a little less memory", () => {
    expect(differencesOf(thisMachine(), thisMachine())).toEqual([]);
    const other = { ...MACHINE, node: "v24.0.0", memoryBytes: MACHINE.memoryBytes * 0.99 };
    expect(differencesOf(MACHINE, other)).toEqual([]);
  });

  it.each([
    ["cpuModel", { cpuModel: "Another" }],
    ["cpuCount", { cpuCount: 4 }],
    ["architecture", { architecture: "arm64" }],
    ["kernel", { kernel: "Linux 6.2.0" }],
    ["memory", { memoryBytes: 8e9 }],
  ])("is another one with another %s", (what, change) => {
    const differences = differencesOf(MACHINE, { ...MACHINE, ...change });
    expect(differences).toHaveLength(1);
    expect(differences[0]).toContain(`${what}: `);
  });

  it("says itself in a line", () => {
    expect(machineText(MACHINE)).toBe("A CPU, 2 CPUs, 14.9 GiB, Linux 6.1.0, Node v20.20.2");
  });
});

describe("a file to compare with", () => {
  const parse = (value: unknown): unknown =>
    parseEarlier(JSON.stringify(value), "old.json", MACHINE);

  it("is taken from this machine", () => {
    expect(parse(result({}))).toEqual(result({}));
  });

  it("is refused from another, with what differs", () => {
    const other = result({ machine: { ...MACHINE, cpuCount: 64 } });
    expect(() => parse(other)).toThrow(EarlierError);
    expect(() => parse(other)).toThrow("old.json is of another machine: cpuCount: 2, and 64 there");
  });

  it.each([
    ["of another version", { ...result({}), version: 99 }],
    ["that is something else", []],
    ["that is nothing", null],
    ["without rows", { ...result({}), rows: undefined }],
    ["without a machine", { ...result({}), machine: undefined }],
  ])("%s is refused", (_name, value) => {
    expect(() => parse(value)).toThrow(EarlierError);
  });

  it("that is no JSON, or is not there, is refused", () => {
    expect(() => parseEarlier("{", "old.json", MACHINE)).toThrow(/no JSON/);
    expect(() => readEarlier("/nowhere/old.json", MACHINE)).toThrow(/cannot be read/);
  });
});

it("ratios to an earlier run are of the same peer, load, placement and generator", () => {
  const then = result({
    rows: [
      row({ samples: [sample({ operationsPerSecond: 100, cpuUsPerOperation: 10 })] }),
      row({ peer: "tgtd", generator: "fio" }),
      row({ peer: "istgt", placement: "pinned" }),
    ],
  });
  const now = [
    row({ samples: [sample({ operationsPerSecond: 150, cpuUsPerOperation: 5, latency: null })] }),
    row({ peer: "tgtd" }),
    row({ peer: "istgt" }),
    row({ peer: "new" }),
  ];
  expect(compareEarlier(now, then)).toEqual({
    when: "2026-11-23T12:00:00.000Z",
    rows: [
      {
        load: "load",
        peer: "thinlun",
        placement: "free",
        generator: "thinlun",
        rate: 1.5,
        cpuPerOperation: 0.5,
        p99: null,
      },
    ],
  });
});
