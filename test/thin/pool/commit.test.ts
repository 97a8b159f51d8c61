import { expect, test } from "vitest";
import { asPoolError, atInstant } from "../../../src/thin/pool/commit.ts";
import { writeBytes } from "../../../src/util/io-request.ts";
import { IO_ERROR_KINDS, IoError } from "../../../src/util/io-error.ts";
import { EXTENT, PoolBench } from "./support/pool-bench.ts";

test("at an instant nothing changes the volumes; afterwards their gates are open, also after a failure", async () => {
  const bench = await PoolBench.make();
  const [one, two] = [await bench.create("one"), await bench.create("two")];
  await bench.fill(one, 0, 1, 1);
  let write: Promise<void> | null = null;
  await bench.drive(
    atInstant([one, two, one], {}, async () => {
      expect([one.gate.isClosed, two.gate.isClosed]).toEqual([true, true]);
      expect(one.tryWrite(Buffer.alloc(512), 0, 512, 0)).toBe(false);
      write = writeBytes(one, 0, Buffer.alloc(EXTENT, 2));
      expect(await bench.byteAt(one, 0)).toBe(1);
    }),
  );
  await bench.drive(write!);
  expect(await bench.byteAt(one, 0)).toBe(2);
  const failing = atInstant([one], { reads: true }, () => Promise.reject(new Error("no")));
  await expect(bench.drive(failing)).rejects.toThrow("no");
  expect(one.gate.isClosed).toBe(false);
});

test("errors of I/O become errors of the pool, others stay what they are", () => {
  const other = new Error("other");
  expect(asPoolError(other)).toBe(other);
  const kinds = IO_ERROR_KINDS.map((kind) => {
    const error = asPoolError(new IoError(kind, "it broke", { object: "tank" }));
    expect(error).toMatchObject({ message: "tank: it broke" });
    return [kind, (error as { kind: string }).kind];
  });
  expect(Object.fromEntries(kinds)).toMatchObject({
    failed: "failed",
    space: "space",
    "space-pending": "space",
    gone: "missing",
    medium: "io",
  });
});
