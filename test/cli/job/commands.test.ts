import { describe, expect, it } from "vitest";
import { jobCommand } from "../../../src/cli/job.ts";
import type { Operations } from "../../../src/cli/control-client.ts";
import {
  cancelCommand,
  jobIdOf,
  jobTable,
  jobText,
  listCommand,
  showCommand,
} from "../../../src/cli/job/commands.ts";
import type { JobReport } from "../../../src/control/protocol.ts";

const JOB: JobReport = {
  id: "job-1",
  operation: "pool/check",
  by: "alice",
  state: "running",
  canStop: true,
  startedAt: "2026-11-23T06:00:00.000Z",
  endedAt: null,
  progress: { step: "counting", done: 1, total: 3 },
  reply: null,
  problem: null,
};

const FAILED: JobReport = {
  ...JOB,
  state: "failed",
  canStop: false,
  endedAt: "2026-11-23T06:00:09.000Z",
  problem: {
    type: "about:blank",
    title: "",
    status: 500,
    detail: "the pool failed",
    kind: "failed",
  },
};

describe("commands on jobs", () => {
  it("are in the help of their noun", () => {
    expect(jobCommand.command).toBe("job");
    for (const { describe: line } of [listCommand, showCommand, cancelCommand]) {
      expect(line).toMatch(/^[A-Z]/);
    }
  });

  it("list them, a line each", () => {
    expect(jobTable([])).toBe("There are none.\n");
    const [, running, failed] = jobTable([JOB, FAILED]).split("\n");
    expect(running).toMatch(
      /job-1 +pool\/check +running +counting 33 % +2026-11-23 06:00:00 +alice/,
    );
    expect(failed).toMatch(/failed +2026/);
  });

  it("tell all of one", () => {
    expect(jobText(JOB)).toContain("can stop  yes");
    expect(jobText({ ...JOB, progress: null })).toContain("progress  \n");
    const text = jobText(FAILED);
    expect(text).toContain("problem   the pool failed");
    expect(text).toContain("ended     2026-11-23 06:00:09");
    expect(text).not.toContain("can stop");
  });

  // At 80 columns a table has half of an ID.
  it("take the beginning of an ID, as a table has it", async () => {
    const ids = ["96e459dd-1a3c-4722", "96e459dd-1a3c-9999", "678fadb2-d345-4bae"];
    const jobs = ids.map((id) => ({ ...JOB, id }));
    const daemon = { call: () => Promise.resolve(jobs) } as unknown as Pick<Operations, "call">;
    expect(await jobIdOf(daemon, "678fadb2-~")).toBe(ids[2]);
    expect(await jobIdOf(daemon, "678fadb2")).toBe(ids[2]);
    expect(await jobIdOf(daemon, "96e459dd-1a3c-4722")).toBe(ids[0]);
    expect(await jobIdOf(daemon, "99")).toBe("99");
    expect(await jobIdOf(daemon, "6")).toBe("6");
    expect(await jobIdOf(daemon, "9999-9999")).toBe("9999-9999");
    await expect(jobIdOf(daemon, "96e459dd-~")).rejects.toThrow(
      /several jobs: 96e459dd-1a3c-4722,/,
    );
  });
});
