import { expect, it } from "vitest";
import { writeBytes } from "../../../src/util/io-request.ts";
import { EXTENT, MIB } from "../../thin/pool/support/pool-bench.ts";
import { OperationBench } from "./support/operation-bench.ts";

it("tells where a volume differs from its snapshot", async () => {
  const bench = await OperationBench.make();
  await bench.run("volume/create", { pool: "tank", volume: "a", sizeBytes: 8 * MIB });
  const write = (offsetBytes: number): Promise<void> =>
    bench.bench.drive(writeBytes(bench.bench.pool.volume("a"), offsetBytes, Buffer.alloc(4096, 1)));
  await write(0);
  await bench.run("snapshot/create", { pool: "tank", copies: [{ volume: "a", name: "s" }] });
  await write(2 * EXTENT);
  const diff = { pool: "tank", from: "s", to: "a", offsetBytes: 0 };
  expect(await bench.run("snapshot/diff", diff)).toEqual({
    sizeBytes: 8 * MIB,
    nextOffsetBytes: null,
    differences: [{ offsetBytes: 2 * EXTENT, lengthBytes: 4096, kind: "added" }],
  });
  await expect(
    bench.run("snapshot/diff", { ...diff, offsetBytes: 8 * MIB + 1 }),
  ).rejects.toMatchObject({ kind: "invalid" });
  await expect(bench.run("snapshot/diff", { ...diff, from: "x" })).rejects.toMatchObject({
    kind: "missing",
  });
  await bench.dispose();
});
