import { expect, test } from "vitest";
import { Audit, fieldChanges } from "../../src/control/audit.ts";
import { type LogLine, recordingLog } from "../support/recording-log.ts";

test("an operation is told of in one entry, however much it changes, and not at all where it changes nothing", () => {
  const lines: LogLine[] = [];
  const audit = new Audit(recordingLog(lines, { part: "audit" }));
  audit.changed({ by: "alice", operation: "x/y", changes: [] });
  expect(lines).toEqual([]);
  const changes = ["a", "b"].map((name) => ({ action: "create", kind: "target", name }) as const);
  audit.changed({ by: "alice", operation: "x/y", changes });
  expect(lines).toEqual([
    {
      level: "info",
      message: "changed",
      fields: { part: "audit", by: "alice", operation: "x/y", changes },
    },
  ]);
});

test("an operation that changes very much takes several entries, which say what part of it they are", () => {
  const lines: LogLine[] = [];
  const changes = Array.from(
    { length: 250 },
    (_, index) => ({ action: "delete", kind: "target", name: `t${index}` }) as const,
  );
  new Audit(recordingLog(lines)).changed({ by: "bob", operation: "system/apply", changes });
  expect(lines.map(({ fields }) => [fields["from"], fields["of"]])).toEqual([
    [0, 250],
    [100, 250],
    [200, 250],
  ]);
  expect(lines.flatMap(({ fields }) => fields["changes"])).toEqual(changes);
});

test("of what was not given, nothing is different", () => {
  expect(fieldChanges({ a: 1, b: 2 }, { a: 3, b: undefined, c: null })).toEqual([
    { field: "a", before: 1, after: 3 },
    { field: "c", before: undefined, after: null },
  ]);
});
