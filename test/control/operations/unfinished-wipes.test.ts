import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import {
  tellUnfinishedWipes,
  withOutcome,
} from "../../../src/control/operations/unfinished-wipes.ts";
import { OperationError } from "../../../src/control/protocol.ts";
import { PoolError } from "../../../src/thin/pool-error.ts";
import { type LogLine, recordingLog } from "../../support/recording-log.ts";

let backupDir: string;

beforeEach(() => {
  backupDir = mkdtempSync(join(tmpdir(), "thinlun-wipes-"));
});

afterEach(() => rmSync(backupDir, { recursive: true }));

it("a wipe that was cut short is told of once, and is in the log", async () => {
  const lines: LogLine[] = [];
  const context = { pools: () => [], backupDir, log: recordingLog(lines) };
  await tellUnfinishedWipes(context);
  const manifest = join(backupDir, "sdb.json");
  writeFileSync(manifest, JSON.stringify({ device: join(backupDir, "sdb"), regions: [] }));
  writeFileSync(`${manifest}.unfinished`, String(2 ** 22 + 7));
  await expect(tellUnfinishedWipes(context)).rejects.toMatchObject({
    kind: "busy",
    message: expect.stringMatching(/sdb was wiped for a pool .* is kept: .*sdb.json: look at it/),
  });
  expect(lines).toHaveLength(1);
  await tellUnfinishedWipes(context);
});

it("an error after something was wiped says what became of that, and stays of its kind", () => {
  const wiped = [{ backup: "/b/sdb.json" }];
  const error = new PoolError("busy", "no");
  expect(withOutcome(error, [{ backup: null }], [])).toBe(error);
  expect(withOutcome(error, wiped, [])).toEqual(
    new OperationError("busy", "no; what was wiped for it was put back", error),
  );
  expect(withOutcome(error, wiped, ["sdb is gone"])).toMatchObject({
    kind: "busy",
    message: "no; sdb is gone",
  });
});
