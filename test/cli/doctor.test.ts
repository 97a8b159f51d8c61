import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { doctorStatus, doctorText } from "../../src/cli/doctor.ts";
import { fail, type Finding, ok, warn } from "../../src/cli/doctor/finding.ts";
import { Command } from "./support.ts";

it("prints a sentence for each finding, and what to do under it", () => {
  const findings = [
    ok("node", "it is new"),
    warn("lvm", "it looks", "Put there:\nfilter"),
    fail("port", "it is taken", "Stop it"),
  ];
  expect(doctorText(findings)).toBe(`ok   node       it is new.
warn lvm        it looks.
                Put there:
                filter
fail port       it is taken.
                Stop it

1 ok, 1 to think about, 1 failed
`);
});

it("fails where something does not work, and not for a warning", () => {
  expect(doctorStatus([ok("a", "b"), warn("a", "b", "c")])).toBe(0);
  expect(doctorStatus([ok("a", "b"), fail("a", "b", "c")])).toBe(1);
  expect(doctorStatus([])).toBe(0);
});

it("looks at this host from the command line", async () => {
  const folder = await mkdtemp(join(tmpdir(), "thinlun-doctor-"));
  const { status, stdout } = await new Command([
    "doctor",
    "--json",
    "--state-dir",
    folder,
  ]).outcome();
  const findings = JSON.parse(stdout) as Finding[];
  expect(findings.map(({ check }) => check)).toContain("port");
  expect(findings[0]).toMatchObject({ check: "node", level: "ok", fix: null });
  expect(status).toBe(findings.some(({ level }) => level === "fail") ? 1 : 0);
  await rm(folder, { recursive: true });
});
