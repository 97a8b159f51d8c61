import { spawn } from "node:child_process";
import { once } from "node:events";
import { basename } from "node:path";
import { expect, it } from "vitest";
import { readProcess } from "../../native-free/running-process.ts";

it("is seen while it runs, with its program and when it began", async () => {
  const child = spawn(process.execPath, ["-e", "console.log(1); setInterval(() => {}, 1000)"]);
  await once(child.stdout, "data");
  const pid = child.pid ?? 0;
  const [own, seen] = [await readProcess(process.pid), await readProcess(pid)];
  expect(seen?.program).toBe(basename(process.execPath));
  expect(seen?.startedAtSeconds).toBeGreaterThanOrEqual(own?.startedAtSeconds ?? Infinity);
  // The time of the boot is known to the second.
  expect(seen?.startedAtSeconds).toBeLessThanOrEqual(Date.now() / 1000 + 2);
  child.kill("SIGKILL");
  await once(child, "exit");
  expect(await readProcess(pid)).toBeNull();
});

it("is nobody where the number is nobody's", async () => {
  expect(await readProcess(2 ** 30)).toBeNull();
});
