import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { TgtBench } from "../support/tgt-bench.ts";

let bench: TgtBench;

beforeEach(async () => {
  bench = await TgtBench.start();
  await bench.must("-o new -m target -t 1 -T iqn.2026-01.com.example:one");
});

afterEach(async () => {
  await bench.dispose();
});

async function shown(): Promise<string[]> {
  const text = await bench.must("-o show -m target");
  const part = text.slice(text.indexOf("Account information:"), text.indexOf("ACL information:"));
  return part
    .split("\n")
    .slice(1, -1)
    .map((line) => line.trim());
}

describe("accounts", () => {
  it("are bound, unbound and gone with all that they were bound to", async () => {
    for (const user of ["u1", "u2", "u3", "o1"]) {
      await bench.must(`-o new -m account -u ${user} -p password-of-${user}`);
    }
    await bench.must(
      "-o bind -m account -t 1 -u u1",
      "-o bind -m account -t 1 -u u2",
      "-o bind -m account -t 1 -u o1 --outgoing",
      "-o bind -m account -u u3",
      "-o bind -m account -u o1 --outgoing",
    );
    expect(await shown()).toEqual(["u1", "u2", "o1 (outgoing)"]);
    expect(await bench.must("-o show -m account")).toBe(
      "Account list:\n    o1\n    u3\n    u2\n    u1\n",
    );
    expect(await bench.must("-o show -m sys")).toContain(
      "    Account information:\n\n    u3\n    o1 (outgoing)\niSNS:",
    );
    await bench.must("-o unbind -m account -t 1 -u u1", "-o unbind -m account -u u3");
    await bench.must("-o delete -m account -u o1", "-o delete -m account -u u2");
    expect(await shown()).toEqual([]);
    expect(await bench.must("-o show -m sys")).not.toContain("Account information");
    expect(bench.harness.plane.view.all.targets[0]?.authentication).toBeNull();
  });

  it("are refused as tgtd refuses them", async () => {
    await bench.must("-o new -m account -u u1 -p secret", "-o bind -m account -t 1 -u u1");
    await bench.must("-o new -m account -u o1 -p other", "-o new -m account -u o2 -p third");
    await bench.must("-o bind -m account -t 1 -u o1 --outgoing");
    const cases = [
      ["-o bind -m account -t 9 -u u1", "can't find the target"],
      ["-o bind -m account -t 1 -u u1", "this account already exists"],
      ["-o bind -m account -t 1 -u nobody", "can't find the account"],
      ["-o bind -m account -t 1 -u o2 --outgoing", "this target already has an outgoing account"],
      ["-o unbind -m account -t 1 -u o2", "can't find the account"],
      ["-o unbind -m account -t 1 -u u1 --outgoing", "can't find the account"],
      ["-o unbind -m account -u u1", "can't find the account"],
      ["-o new -m account -u u1 -p x", "this account already exists"],
      ["-o delete -m account -u nobody", "can't find the account"],
    ] as const;
    for (const [line, complaint] of cases)
      expect(await bench.complaint(line), line).toBe(complaint);
    expect(await shown()).toEqual(["u1", "o1 (outgoing)"]);
  });

  it("log initiators in, and without them nobody", async () => {
    await bench.must("-o bind -m target -t 1 -I ALL");
    await (await bench.login("iqn.2026-01.com.example:one")).logout();
    await bench.must("-o new -m account -u u1 -p secret-of-u1", "-o bind -m account -t 1 -u u1");
    await expect(bench.login("iqn.2026-01.com.example:one")).rejects.toThrow();
  });
});
