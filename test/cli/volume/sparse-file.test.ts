import { mkdtempSync, rmSync, statSync } from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { dataRuns, readPiece, writeSparse } from "../../../src/cli/volume/sparse-file.ts";

const PIECE = 64 * 1024;

it("finds what is not zeros, joined where it meets", () => {
  const bytes = Buffer.alloc(6 * PIECE + 10);
  bytes[PIECE + 5] = 1;
  bytes[2 * PIECE] = 1;
  bytes[4 * PIECE - 1] = 0;
  bytes[6 * PIECE + 9] = 1;
  expect([...dataRuns(bytes)]).toEqual([
    { start: PIECE, end: 3 * PIECE },
    { start: 6 * PIECE, end: 6 * PIECE + 10 },
  ]);
  expect([...dataRuns(Buffer.alloc(PIECE))]).toEqual([]);
  expect([...dataRuns(Buffer.alloc(3, 1))]).toEqual([{ start: 0, end: 3 }]);
  expect([...dataRuns(Buffer.alloc(0))]).toEqual([]);
});

it("writes holes, and reads up to the end", async () => {
  const folder = mkdtempSync(join(tmpdir(), "thinlun-sparse-"));
  const path = join(folder, "a.img");
  const file = await open(path, "wx+");
  const bytes = Buffer.alloc(1024 * 1024);
  bytes.fill(7, 3 * PIECE, 4 * PIECE);
  await file.truncate(2 * 1024 * 1024);
  await writeSparse(file, bytes, 1024 * 1024);
  expect(statSync(path).blocks * 512).toBeLessThanOrEqual(2 * PIECE);
  expect(bytes.equals(await readPiece(file, 1024 * 1024, 4 * 1024 * 1024))).toBe(true);
  await file.close();
  rmSync(folder, { recursive: true });
});
