import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { daemonOf } from "../../../src/control/operations/operated-daemon.ts";
import {
  describeLun,
  describeNamed,
  describeTarget,
  sessionCountOf,
} from "../../../src/control/operations/target-report.ts";
import { Secret } from "../../../src/control/secret.ts";
import { lunConfig, targetConfig } from "../support/inventories.ts";
import { DISK, DaemonBench } from "./support/daemon-bench.ts";

let bench: DaemonBench;

beforeEach(async () => {
  bench = await DaemonBench.make();
});

afterEach(() => bench.dispose());

describe("what is told of a target", () => {
  it("is all but its secrets", () => {
    const account = { user: "alice", secret: new Secret("wonderland-123456") };
    const target = targetConfig(DISK, {
      tid: 3,
      luns: [lunConfig(2, "tank/gone", { settings: { online: false }, readOnly: true })],
      authentication: {
        accounts: [account],
        mutual: account,
        mutualRequired: true,
        algorithms: null,
      },
    });
    const report = describeTarget(daemonOf(bench.context), target);
    expect(report).toMatchObject({
      tid: 3,
      origin: "configuration",
      authentication: { users: ["alice"], mutual: "alice", mutualRequired: true },
      luns: [
        {
          lun: 2,
          volume: "tank/gone",
          driver: null,
          sizeBytes: null,
          readOnly: true,
          online: false,
        },
      ],
    });
    expect(JSON.stringify(report)).not.toContain("wonderland");
  });

  it("is of what is there by now", async () => {
    await bench.run("target/create", { name: DISK });
    await bench.login();
    const daemon = daemonOf(bench.context);
    expect(sessionCountOf(daemon, DISK)).toBe(1);
    expect(describeNamed(daemon, DISK)).toMatchObject({ origin: "command", sessionCount: 1 });
    expect(() => describeNamed(daemon, "iqn.none")).toThrow("is gone again");
    expect(describeLun(daemon, DISK, lunConfig(0, "x")).online).toBe(true);
  });
});
