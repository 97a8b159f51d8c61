import { spawnSync } from "node:child_process";
import { mkdtempSync, openSync, closeSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { RANGE_SHELL } from "../../native-free/range-shell.ts";

const folder = mkdtempSync(join(tmpdir(), "thinlun-range-shell-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("the answers of the tools", () => {
  it.each([
    ["0", ""],
    ["0 with a remark", ""],
    ["1 fallocate: fallocate failed: Operation not supported", "unsupported"],
    ["1 blkdiscard: x: BLKDISCARD ioctl failed: Inappropriate ioctl for device", "unsupported"],
    ["1 fallocate: unrecognized option: punch-hole", "unsupported"],
    ["127 sh: 1: fallocate: not found", "unsupported"],
    ["1 fallocate: fallocate failed: No space left on device", "ENOSPC"],
    ["1 fallocate: cannot open x: Permission denied", "EPERM"],
    ["1 fallocate: cannot open x: Read-only file system", "EROFS"],
    ["1 blkdiscard: x: offset is not aligned to sector size 512", "EINVAL"],
    ["1 blkdiscard: cannot open x: No such device or address", "ENODEV"],
    ["1 blkdiscard: cannot open x: Device or resource busy", "EBUSY"],
    ["1 fallocate: fallocate failed: Input/output error", "EIO"],
    ["137", "EIO"],
  ])("of %j make %j", (answer, outcome) => {
    expect(RANGE_SHELL.outcomeOf(answer)).toBe(outcome);
  });

  it("come in one line each, in order, and say which tool was asked for what", () => {
    for (const tool of ["fallocate", "blkdiscard"]) {
      const script = `#!/bin/sh\necho "${tool}" "$@"; echo more`;
      writeFileSync(join(folder, tool), script, { mode: 0o755 });
    }
    const path = join(folder, "image");
    const fd = openSync(path, "w+");
    const lines = ["punch 1 2", "zero 3 4", "discard 5 6", "zero-device 7 8"];
    const { stdout } = spawnSync(RANGE_SHELL.command, RANGE_SHELL.args, {
      input: `${lines.join("\n")}\n`,
      env: { PATH: folder },
      stdio: ["pipe", "pipe", "pipe", fd],
      timeout: 10_000,
      encoding: "utf8",
    });
    closeSync(fd);
    const file = "/proc/self/fd/3 more";
    expect(stdout.split("\n")).toEqual([
      `0 fallocate --punch-hole --keep-size --offset 1 --length 2 ${file}`,
      `0 fallocate --zero-range --keep-size --offset 3 --length 4 ${file}`,
      `0 blkdiscard --offset 5 --length 6 ${file}`,
      `0 blkdiscard --zeroout --offset 7 --length 8 ${file}`,
      "",
    ]);
  });
});
