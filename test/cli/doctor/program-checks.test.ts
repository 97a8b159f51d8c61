import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import {
  checkClock,
  checkLocks,
  checkNode,
  checkNotify,
  checkOpenFiles,
} from "../../../src/cli/doctor/program-checks.ts";
import { hostWith } from "./support.ts";

it.each([
  ["20.19.0", "ok"],
  ["20.20.2", "ok"],
  ["20.18.9", "fail"],
  ["21.9.0", "fail"],
  ["22.11.0", "fail"],
  ["22.12.0", "ok"],
  ["23.0.0", "ok"],
  ["18.20.4", "fail"],
])("finds Node.js %s %s", (nodeVersion, level) => {
  expect(checkNode(hostWith({ nodeVersion }))).toMatchObject({ check: "node", level });
});

it("agrees with package.json about Node.js", () => {
  const path = join(import.meta.dirname, "..", "..", "..", "package.json");
  const { engines } = JSON.parse(readFileSync(path, "utf8")) as { engines: { node: string } };
  expect(engines.node).toBe("^20.19.0 || >=22.12.0");
});

it.each([
  ["fs-ext", "ok"],
  ["flock", "ok"],
  ["lock-file", "warn"],
])("finds locks by %s %s", async (method, level) => {
  const host = hostWith({ lockMethod: () => Promise.resolve(method) });
  expect(await checkLocks(host)).toMatchObject({ level });
});

it("wants systemd-notify where systemd runs", async () => {
  const factsOf = (): Promise<{ mode: number; uid: number; isFolder: boolean }> =>
    Promise.resolve({ mode: 0o755, uid: 0, isFolder: true });
  expect(await checkNotify(hostWith())).toMatchObject({ level: "ok" });
  expect(await checkNotify(hostWith({ factsOf }))).toMatchObject({ level: "fail" });
  const programs = { "systemd-notify": "" };
  expect(await checkNotify(hostWith({ factsOf, programs }))).toMatchObject({ level: "ok" });
});

it.each([
  ["1024                 524288               files", "ok"],
  ["1024                 1024                 files", "warn"],
  ["unlimited            unlimited            files", "ok"],
])("looks at the hard limit of open files: %s", async (limits, level) => {
  const text = `Limit  Soft Limit  Hard Limit  Units\nMax open files            ${limits}\n`;
  const host = hostWith({ files: { "/proc/self/limits": text } });
  expect(await checkOpenFiles(host)).toMatchObject({ level });
});

it.each([
  ["yes\n", "ok"],
  ["no\n", "warn"],
  ["", "ok"],
])("asks whether the clock is kept right: %j", async (answer, level) => {
  const line = "timedatectl show --property=NTPSynchronized --value";
  expect(await checkClock(hostWith({ programs: { [line]: answer } }))).toMatchObject({ level });
});

it("says nothing of a clock that nobody knows of", async () => {
  expect(await checkClock(hostWith())).toMatchObject({ level: "ok" });
});
