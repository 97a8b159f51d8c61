import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { TgtBench } from "../support/tgt-bench.ts";

const TARGET = "iqn.2026-01.com.example:one";
let bench: TgtBench;

beforeEach(async () => {
  bench = await TgtBench.start();
  await bench.must(`-o new -m target -t 1 -T ${TARGET}`, "-o bind -m target -t 1 -I ALL");
});

afterEach(async () => {
  await bench.dispose();
});

describe("targets", () => {
  it("stay while initiators are there, unless they are forced away", async () => {
    const session = await bench.login(TARGET);
    expect(await bench.complaint("-o delete -m target -t 1")).toBe("this target is still active");
    await bench.must("-o delete -m target -t 1 --force");
    expect(await bench.must("-o show -m target")).toBe("");
    await expect(session.logout()).rejects.toThrow();
  });

  it("have names that initiators can use", async () => {
    for (const name of ["foo", "iqn.x:y", "iqn.2026-01.com.example:a_b"]) {
      const line = `-o new -m target -t 2 -T ${name}`;
      expect(await bench.complaint(line), name).toBe("invalid request");
    }
  });

  it("are shown as they were spelled, and found in any case", async () => {
    const [spelled, name] = ["iqn.2026-01.com.example:Two", "iqn.2026-01.com.example:two"];
    await bench.must(`-o new -m target -t 2 -T ${spelled}`, "-o bind -m target -t 2 -I ALL");
    await bench.must("-o update -m target -t 2 -n MaxQueueCmd -v 17");
    expect(await bench.must("-o show -m target")).toContain(`Target 2: ${spelled}\n`);
    expect(await bench.must("-o show -m lld")).toContain(`        Target 2: ${spelled}\n`);
    for (const text of [spelled, name]) {
      const line = `-o new -m target -t 3 -T ${text}`;
      expect(await bench.complaint(line)).toBe("this target already exists");
    }
    const session = await bench.login(spelled);
    expect(session).toBeDefined();
    expect(await bench.complaint("-o delete -m target -t 2")).toBe("this target is still active");
    await session.logout();
  });

  it("refuse logins while they are offline", async () => {
    await bench.must("-o update -m target -t 1 -n state -v offline");
    await expect(bench.login(TARGET)).rejects.toThrow();
    expect(await bench.must("-o show -m target")).toContain("        State: offline\n");
    await bench.must("-o update -m target -t 1 -n state -v ready");
    await bench.login(TARGET);
  });

  it("have session keys that count for the logins to come", async () => {
    await bench.must(
      "-o update -m target -t 1 -n MaxRecvDataSegmentLength -v 4096",
      "-o update -m target -t 1 -n nop_interval -v 5",
      "-o update -m target -t 1 -n nop_count -v 3",
      "-o update -m target -t 1 -n MaxQueueCmd -v 17",
    );
    const text = await bench.must("-o show -m target -t 1");
    expect(text).toContain("nop_interval=5\nnop_count=3\nMaxRecvDataSegmentLength=4096\n");
    expect(text).toContain("MaxQueueCmd=17\n");
    expect(await bench.must("-o show -m target")).toContain("Nop interval: 5\n");
    await bench.login(TARGET);
    const [session] = bench.harness.server.sessions;
    expect(session?.parameters.targetMaxRecvDataSegmentLengthBytes).toBe(4096);
  });

  it("send initiators elsewhere", async () => {
    const update = "-o update -m target -t 1 -n";
    await bench.must(`${update} RedirectAddress -v 192.0.2.1`);
    expect(await bench.must("-o show -m target -t 1")).toBe(
      "RedirectAddress=192.0.2.1\nRedirectPort=\nRedirectReason=Unknown\n",
    );
    await bench.must(`${update} RedirectPort -v 860`, `${update} RedirectReason -v Permanent`);
    expect(await bench.must("-o show -m target -t 1")).toBe(
      "RedirectAddress=192.0.2.1\nRedirectPort=860\nRedirectReason=Permanent\n",
    );
    expect(bench.harness.server.targets.get(TARGET)?.redirect).toEqual({
      address: "192.0.2.1",
      port: 860,
      permanent: true,
    });
  });
});
