import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  accountRequest,
  bindRequest,
  targetRequests,
} from "../../../src/control/operations/tgt-requests.ts";
import { TgtScratch } from "../../../src/control/operations/tgt-scratch.ts";
import { DaemonBench } from "./support/daemon-bench.ts";

const NAME = "iqn.2026-01.com.example:a";

let bench: DaemonBench;
beforeEach(async () => {
  bench = await DaemonBench.make();
});
afterEach(() => bench.dispose());

describe("TgtScratch", () => {
  it("carries out tgt's commands on a copy, and nothing of the daemon changes", async () => {
    const { view } = bench.harness.plane;
    const scratch = new TgtScratch(view);
    await scratch.run(accountRequest({ user: "u", password: "a-password" }));
    const target = {
      name: NAME,
      tid: null,
      incoming: ["u"],
      outgoing: null,
      addresses: ["ALL"],
      initiatorNames: [],
      settings: [],
      luns: [],
    };
    for (const request of targetRequests(target, 7)) await scratch.run(request);
    await scratch.run(bindRequest("u", null, false));
    expect(scratch.view.all.targets).toMatchObject([{ name: NAME, tid: 7 }]);
    expect(scratch.inventory.discovery?.authentication?.accounts).toHaveLength(1);
    expect(bench.harness.plane.view.inventory).toBe(view.inventory);
    expect(view.inventory.targets).toEqual([]);
  });

  it("says what tgt has against a command, and of what", async () => {
    const scratch = new TgtScratch(bench.harness.plane.view);
    await expect(scratch.run(bindRequest("nobody", null, false))).rejects.toMatchObject({
      kind: "invalid",
      message: expect.stringContaining("account nobody: can't find the account"),
    });
  });
});
