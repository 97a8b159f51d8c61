import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { freePort } from "../show/real-tgtd.ts";
import { TgtBench } from "../support/tgt-bench.ts";

let bench: TgtBench;

beforeEach(async () => {
  bench = await TgtBench.start();
});

afterEach(async () => {
  await bench.dispose();
});

describe("portals", () => {
  it("come, newest first, and go", async () => {
    const port = await freePort();
    const made = `portal=127.0.0.1:${port}`;
    await bench.must(`-o new -m portal -P ${made}`);
    expect(await bench.must("-o show -m portal")).toBe(
      `Portal: 127.0.0.1:${port},1\nPortal: 127.0.0.1:${bench.port},1\n`,
    );
    expect(await bench.complaint(`-o new -m portal -P ${made}`)).toBe("invalid request");
    await bench.must(`-o delete -m portal -P ${made}`);
    expect(await bench.complaint(`-o delete -m portal -P ${made}`)).toBe("invalid request");
  });

  it("go, too, where the daemon was started with them", async () => {
    await bench.must(`-o delete -m portal -P portal=127.0.0.1:${bench.port}`);
    expect(await bench.must("-o show -m portal")).toBe("");
    expect(bench.harness.plane.view.all.portals).toEqual([]);
  });

  it("are all of a request, or none", async () => {
    const port = await freePort();
    const line = `-o new -m portal -P portal=127.0.0.1:${port},portal=192.0.2.1:${port}`;
    expect(await bench.complaint(line)).toBe("invalid request");
    expect(bench.harness.server.portals).toHaveLength(1);
  });
});
