import { afterEach, beforeEach, expect, test } from "vitest";
import { SPACE_QUIET_MS, VolumeFaults } from "../../src/control/volume-faults.ts";
import { LogicalUnit } from "../../src/scsi/logical-unit.ts";
import { IoError, type IoErrorKind } from "../../src/util/io-error.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { type LogLine, recordingLog } from "../support/recording-log.ts";
import { FakeVolume } from "../scsi/support/fake-volume.ts";

const WRITE_16 = 0x8a;

let clock: ManualClock;
let lines: LogLine[];
let faults: VolumeFaults;
let units: LogicalUnit[];

beforeEach(() => {
  clock = new ManualClock();
  lines = [];
  faults = new VolumeFaults(recordingLog(lines), clock);
  units = [];
});

afterEach(() => {
  for (const unit of units) unit.close();
});

class NamedVolume extends FakeVolume {
  override readonly name: string;

  constructor(name: string) {
    super(4096);
    this.name = name;
  }
}

/** What tells of failed writes to a volume. */
function failures(name: string): (kind: IoErrorKind, suppressedCount?: number) => void {
  const volume = new NamedVolume(name);
  const unit = new LogicalUnit({ volume, blockBytes: 512, nowMs: () => clock.nowMs() });
  units.push(unit);
  return (kind, suppressedCount = 0) => {
    const error = new IoError(kind, "it does not work", { object: name, offsetBytes: 4096 });
    faults.report({ unit, error, operationCode: WRITE_16, suppressedCount });
  };
}

/** Level, kind and suppressed count of what was said. */
function said(): unknown[] {
  return lines.map(({ level, fields }) => [level, fields["kind"], fields["suppressedCount"]]);
}

test("a fault of the medium is said each time, with its stack", () => {
  const fail = failures("disk");
  fail("medium");
  fail("medium", 3);
  expect(said()).toEqual([
    ["error", "medium", 0],
    ["error", "medium", 3],
  ]);
  const place = { volume: "disk", offsetBytes: 4096, operation: "0x8a" };
  expect(lines[0]?.fields).toMatchObject({ ...place, error: expect.any(IoError) as unknown });
});

test("a shortage of space is said when it begins and when it changes, without a stack", () => {
  const fail = failures("disk");
  const other = failures("other");
  for (let second = 0; second < 300; second += 1) {
    fail("space-pending", 2);
    clock.advance(1000);
  }
  fail("space");
  fail("space");
  other("space-pending");
  expect(said()).toEqual([
    ["warn", "space-pending", 2],
    ["error", "space", 299 * 3],
    ["warn", "space-pending", 0],
  ]);
  expect(lines[0]?.fields).toMatchObject({ volume: "disk", reason: "disk: it does not work" });
  for (const { fields } of lines) expect(fields).not.toHaveProperty("error");
});

test("a shortage after a quiet time is another one", () => {
  const fail = failures("disk");
  fail("space-pending");
  clock.advance(SPACE_QUIET_MS - 1);
  fail("space-pending");
  clock.advance(SPACE_QUIET_MS);
  fail("space-pending");
  expect(said()).toEqual([
    ["warn", "space-pending", 0],
    ["warn", "space-pending", 1],
  ]);
});
