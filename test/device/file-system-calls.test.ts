import { closeSync, openSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { nodeFileSystem as calls } from "../../src/device/file-system-calls.ts";
import { scratchFolder } from "./loop-device.ts";

const folder = scratchFolder();
let fd = -1;
beforeAll(() => {
  writeFileSync(join(folder, "file"), "0123456789");
  fd = openSync(join(folder, "file"), "r+");
});
afterAll(() => {
  closeSync(fd);
  rmSync(folder, { recursive: true, force: true });
});

/** The count that a call reports. */
function counted(
  call: (done: (error: Error | null, count: number) => void) => void,
): Promise<number> {
  return new Promise((resolve, reject) => {
    call((error, count) => (error === null ? resolve(count) : reject(error)));
  });
}

it("moves one buffer and several, at a position", async () => {
  expect(await counted((done) => calls.write(fd, [Buffer.from("ab")], 2, done))).toBe(2);
  const parts = [Buffer.from("c"), Buffer.from("de")];
  expect(await counted((done) => calls.write(fd, parts, 4, done))).toBe(3);
  expect(calls.writeSync(fd, Buffer.from("-xy-"), 1, 2, 8)).toBe(2);
  const one = Buffer.alloc(20);
  expect(await counted((done) => calls.read(fd, [one], 0, done))).toBe(10);
  expect(one.toString("latin1", 0, 10)).toBe("01abcde7xy");
  const [head, tail] = [Buffer.alloc(3), Buffer.alloc(3)];
  expect(await counted((done) => calls.read(fd, [head, tail], 1, done))).toBe(6);
  expect(Buffer.concat([head, tail]).toString()).toBe("1abcde");
  expect(calls.readSync(fd, one, 5, 4, 0)).toBe(4);
});

it("syncs, tells the size, and reports errors", async () => {
  await counted((done) => calls.fdatasync(fd, (error) => done(error, 0)));
  expect(await counted((done) => calls.fileSize(fd, done))).toBe(10);
  const bad = 999_999;
  await expect(counted((done) => calls.fileSize(bad, done))).rejects.toThrow("EBADF");
  await expect(counted((done) => calls.read(bad, [Buffer.alloc(1)], 0, done))).rejects.toThrow(
    "EBADF",
  );
});
