import { expect, it } from "vitest";
import { examine } from "../../../src/cli/doctor/examine.ts";
import { hostWith } from "./support.ts";

it("finds nothing on a host on which all is well", async () => {
  const findings = await examine(hostWith());
  expect(findings.filter(({ level }) => level !== "ok")).toEqual([]);
  expect(findings.map(({ check }) => check)).toEqual([
    "node",
    "locks",
    "systemd",
    "files",
    "clock",
    "state",
    "durability",
    "direct-io",
    "holes",
    "port",
    "firewall",
    "initiator",
    "daemon",
    "lvm",
    "multipath",
    "tgt",
  ]);
});

it("goes on after a look that fails", async () => {
  const host = hostWith({ lockMethod: () => Promise.reject(new Error("read-only")) });
  const findings = await examine(host);
  expect(findings[1]).toMatchObject({ check: "locks", level: "warn" });
  expect(findings[1]?.message).toContain("read-only");
  expect(findings.at(-1)).toMatchObject({ check: "tgt" });
});
