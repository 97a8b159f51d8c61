import { expect, it } from "vitest";
import { checkPools, checkTgt } from "../../../src/cli/doctor/pool-checks.ts";
import { hostWith, poolWith } from "./support.ts";

it.each([
  [{ usableGib: 50 }, "ok"],
  [{ usableGib: 11 }, "ok"],
  [{ usableGib: 9 }, "warn"],
  [{ usableGib: 1 }, "fail"],
  [{ usableGib: 0 }, "fail"],
  [{ failure: "a flush failed" }, "fail"],
])("finds a pool with %j %s", (changes, level) => {
  const findings = checkPools({ pools: [poolWith(changes)] });
  expect(findings.map((finding) => finding.level)).toEqual(["ok", level]);
});

it("says why no daemon could be asked", () => {
  const [finding] = checkPools({ unreachable: "start one" });
  expect(finding).toMatchObject({ level: "warn", fix: "start one" });
});

it("counts the targets of tgt's configuration", async () => {
  const target = "<target iqn.2026-11.net.example:x>\n</target>\n";
  const files = {
    "/etc/tgt/targets.conf": `${target}#<target no>\n  ${target}`,
    "/etc/tgt/conf.d/more.conf": target,
    "/etc/tgt/conf.d/more.conf.old": target,
  };
  const folders = { "/etc/tgt/conf.d": ["more.conf", "more.conf.old"] };
  const finding = await checkTgt(hostWith({ files, folders }));
  expect(finding).toMatchObject({ level: "warn" });
  expect(finding.message).toContain("3 targets");
  expect(finding.fix).toContain("import-tgt");
  expect(await checkTgt(hostWith())).toMatchObject({ level: "ok" });
});
