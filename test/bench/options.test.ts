import { describe, expect, it } from "vitest";
import { GENERATORS } from "../../bench/generators/all.ts";
import { LOADS } from "../../bench/loads.ts";
import {
  HELP,
  listText,
  parseOptions,
  UsageError,
  type BenchOptions,
} from "../../bench/options.ts";
import { PEERS } from "../../bench/peers/all.ts";

function parse(...args: string[]): BenchOptions {
  const options = parseOptions(args);
  if (typeof options === "string") throw new Error(`that asks for ${options}`);
  return options;
}

const names = (items: readonly { readonly name: string }[]): string[] =>
  items.map(({ name }) => name);
const ids = (items: readonly { readonly id: string }[]): string[] => items.map(({ id }) => id);

describe("the command line", () => {
  it("takes everything, five rounds of two seconds, where nothing is said", () => {
    expect(parse()).toMatchObject({ rounds: 5, seconds: 2, isQuick: false, jsonFile: null });
    expect(ids(parse().loads)).toEqual(ids(LOADS));
    expect(names(parse().peers)).toEqual(names(PEERS));
  });

  it("is quick with fewer loads, unless more is said", () => {
    const quick = parse("--quick");
    expect(quick).toMatchObject({ rounds: 1, seconds: 0.3, isQuick: true });
    expect(quick.loads.length).toBeLessThan(LOADS.length / 2);
    expect(parse("--quick", "--rounds", "3", "--seconds", "1.5")).toMatchObject({
      rounds: 3,
      seconds: 1.5,
    });
  });

  it("takes only what is named: loads, groups and peers", () => {
    const one = parse("--only", "4k-random-read-d128,tgtd", "--only=unmap");
    expect(ids(one.loads)).toEqual(["4k-random-read-d128", "64k-random-unmap-d8"]);
    expect(names(one.peers)).toEqual(["tgtd"]);
    expect(ids(parse("--only", "thinlun").loads)).toEqual(ids(LOADS));
    expect(names(parse("--only", "unmap").peers)).toEqual(names(PEERS));
  });

  it("takes of a group what is quick, and what is named anyway", () => {
    expect(ids(parse("--quick", "--only", "flush").loads)).toEqual(["4k-random-write-d32-flush32"]);
    const named = "4k-random-write-d1-flush1";
    expect(ids(parse("--quick", "--only", named).loads)).toEqual([named]);
  });

  it("takes other generators where they are marked for it, and those that are named everywhere", () => {
    expect(parse()).toMatchObject({ generators: GENERATORS, checksAll: false });
    const one = parse("--generators", "own,qemu-img");
    expect([names(one.generators), one.checksAll]).toEqual([["qemu-img"], true]);
    expect(parse("--generators", "own").generators).toEqual([]);
  });

  it("takes files", () => {
    const files = parse("--json", "a", "--compare", "b", "--folder", "c");
    expect(files).toMatchObject({ jsonFile: "a", compareFile: "b", folder: "c" });
  });

  it.each([
    [["--rounds", "0"], /--rounds takes a number above 0/],
    [["--rounds", "1.5"], /whole number/],
    [["--seconds", "soon"], /--seconds takes a number above 0, not soon/],
    [["--only", "nothing"], /--only knows no nothing/],
    [["--generators", "own,dd"], /--generators knows no dd/],
    [["--generators", "qemu-img"], /beside own only/],
    [["--unknown"], /--unknown/],
    [["stray"], /stray/],
  ])("refuses %j", (args, complaint) => {
    expect(() => parseOptions(args)).toThrow(UsageError);
    expect(() => parseOptions(args)).toThrow(complaint);
  });

  it("helps, and lists what it knows", () => {
    expect([parseOptions(["--help"]), parseOptions(["--list"])]).toEqual(["help", "list"]);
    expect(HELP).toContain("--compare FILE");
    for (const { id } of LOADS) expect(listText()).toContain(id);
    for (const { name } of [...PEERS, ...GENERATORS]) expect(listText()).toContain(name);
  });
});
