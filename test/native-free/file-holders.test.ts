import { closeSync, openSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { startLineChild } from "../../native-free/child-process.ts";
import { describeHolders } from "../../native-free/file-holders.ts";
import { scratchFolder } from "../device/loop-device.ts";

const folder = scratchFolder();
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it("names the process that has a file open, and not this one", async () => {
  const path = join(folder, "held");
  writeFileSync(path, "");
  const fd = openSync(path, "r");
  expect(await describeHolders(path)).toBe("");
  await new Promise<void>((resolve) => {
    const script = ["-c", "echo ready; read -r x"];
    const onLine = (): void => {
      void describeHolders(path).then((text) => {
        expect(text).toBe(`process ${child.pid} (sh)`);
        child.end();
      });
    };
    const events = { onLine, onClose: resolve };
    const child = startLineChild("/bin/sh", script, events, { inheritedFd: fd });
    child.hold(true);
  });
  closeSync(fd);
});

it("is silent about what does not exist", async () => {
  expect(await describeHolders(join(folder, "none"))).toBe("");
});
