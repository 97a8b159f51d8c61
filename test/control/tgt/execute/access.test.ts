import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { TgtBench } from "../support/tgt-bench.ts";

const TARGET = "iqn.2026-01.com.example:one";
let bench: TgtBench;

beforeEach(async () => {
  bench = await TgtBench.start();
  await bench.must(`-o new -m target -t 1 -T ${TARGET}`);
});

afterEach(async () => {
  await bench.dispose();
});

async function shown(): Promise<string[]> {
  const text = await bench.must("-o show -m target");
  const rules = text.slice(text.indexOf("ACL information:")).split("\n").slice(1, -1);
  return rules.map((line) => line.trim());
}

describe("rules of access", () => {
  it("are shown as tgtd spells them, addresses first", async () => {
    await bench.must(
      "-o bind -m target -t 1 -Q iqn.host",
      "-o bind -m target -t 1 -I 10.0.0.0/8 -Q iqn.other",
      "-o bind -m target -t 1 -I [fe80::1]",
    );
    expect(await shown()).toEqual([
      "10.0.0.0/8,initiator-name=iqn.other",
      "[fe80::1]",
      "iqn.host",
      "iqn.other",
    ]);
    expect(await bench.complaint("-o unbind -m target -t 1 -I 10.0.0.0/8")).toBe(
      "this access control rule does not exist",
    );
    await bench.must("-o unbind -m target -t 1 -I 10.0.0.0/8 -Q iqn.other");
    expect(await shown()).toEqual(["[fe80::1]", "iqn.host"]);
  });

  it("are all of a request, or none", async () => {
    await bench.must("-o bind -m target -t 1 -Q iqn.host");
    const line = "-o bind -m target -t 1 -I 1.2.3.4 -Q iqn.host";
    expect(await bench.complaint(line)).toBe("this access control rule already exists");
    expect(await shown()).toEqual(["iqn.host"]);
  });

  it("are addresses", async () => {
    for (const rule of ["all", "garbage", "10.0.0.0/99"]) {
      expect(await bench.complaint(`-o bind -m target -t 1 -I ${rule}`)).toBe("invalid request");
    }
  });

  it("let nobody in until there is one", async () => {
    await expect(bench.login(TARGET)).rejects.toThrow();
    await bench.must("-o bind -m target -t 1 -I 127.0.0.0/8");
    await bench.login(TARGET);
  });
});
