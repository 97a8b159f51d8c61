import { chmodSync, mkdirSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FileFailureMark, systemFailureMark } from "../../../src/thin/members/failure-mark.ts";
import { scratchFolder } from "../../device/loop-device.ts";
import { testUuid } from "./support/superblock.ts";

const [pool, otherPool] = [testUuid(1), testUuid(2)];
const [boot, nextBoot] = [testUuid(3), testUuid(4)];
let folder = "";
let marks = "";
beforeEach(() => {
  folder = scratchFolder();
  mkdirSync(join(folder, "run"));
  marks = join(folder, "run/thinlun");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe("the mark of a failed flush", () => {
  it("is there at once, for the pool, for every process of this boot", async () => {
    const mark = new FileFailureMark({ folders: [marks], bootId: boot });
    expect(await mark.isSet(pool)).toBe(false);
    mark.set(pool);
    const path = join(marks, `failed-${pool}-${boot}`);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    mark.set(pool);
    const successor = new FileFailureMark({ folders: [marks], bootId: boot });
    expect(await successor.isSet(pool)).toBe(true);
    expect(await successor.isSet(otherPool)).toBe(false);
  });

  it("means nothing after a reboot", async () => {
    const mark = new FileFailureMark({ folders: [marks], bootId: boot });
    mark.set(pool);
    expect(await new FileFailureMark({ folders: [marks], bootId: nextBoot }).isSet(pool)).toBe(
      false,
    );
    expect(await mark.isSet(pool)).toBe(true);
  });

  it("goes to the next folder where one cannot be used, and is seen in any", async () => {
    writeFileSync(join(folder, "file"), "");
    const second = join(folder, "second");
    const mark = new FileFailureMark({ folders: [join(folder, "file/x"), second], bootId: boot });
    mark.set(pool);
    expect(statSync(join(second, `failed-${pool}-${boot}`)).isFile()).toBe(true);
    const withFirst = new FileFailureMark({ folders: [marks, second], bootId: boot });
    expect(await withFirst.isSet(pool)).toBe(true);
  });

  it("is neither put into nor believed from a folder that others may write to", async () => {
    mkdirSync(marks);
    chmodSync(marks, 0o777);
    const mark = new FileFailureMark({ folders: [marks], bootId: boot });
    mark.set(pool);
    writeFileSync(join(marks, `failed-${pool}-${boot}`), "");
    expect(await mark.isSet(pool)).toBe(false);
    const linked = join(folder, "linked");
    symlinkSync(join(folder, "run"), linked);
    expect(await new FileFailureMark({ folders: [linked], bootId: boot }).isSet(pool)).toBe(false);
  });

  it("never throws: there may be no later", async () => {
    new FileFailureMark({ folders: ["/proc/nowhere"], bootId: boot }).set(pool);
    expect(await new FileFailureMark({ folders: [], bootId: null }).isSet(pool)).toBe(false);
  });

  it("is looked for on this machine without leaving anything", async () => {
    expect(await systemFailureMark().isSet(testUuid(987_654))).toBe(false);
  });
});
