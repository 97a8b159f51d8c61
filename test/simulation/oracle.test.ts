import { describe, expect, it } from "vitest";
import type { IoErrorKind } from "../../src/util/io-error.ts";
import { Oracle } from "./oracle.ts";
import type { Ending } from "./oracle.ts";
import type { Tag } from "./tags.ts";
import { Violation } from "./violation.ts";

const VOLUME = 1;
const SECTORS = 8;
const OLD = 5;
const NEW = 6;

function tagOf(lba: number, serial: number): Tag {
  return serial === 0 ? { volume: 0, lba: 0, serial } : { volume: VOLUME, lba, serial };
}

/** A volume of which all sectors hold the write OLD, flushed. */
function written(): Oracle {
  const oracle = new Oracle();
  oracle.acknowledgeManagement({ kind: "create", volume: VOLUME, sectors: SECTORS });
  oracle.acknowledge(oracle.begin(VOLUME, 0, SECTORS, OLD), false);
  oracle.completeFlush(oracle.beginFlush());
  return oracle;
}

/** The write NEW of all sectors fails; meanwhile the volume was shrunk to `sectors`. */
function failed(kind: IoErrorKind, sectors: number = SECTORS): Oracle {
  const oracle = written();
  const effect = oracle.begin(VOLUME, 0, SECTORS, NEW);
  if (sectors < SECTORS) {
    oracle.acknowledgeManagement({ kind: "resize", volume: VOLUME, sectors });
  }
  oracle.fail(effect, kind);
  return oracle;
}

function check(oracle: Oracle, serials: readonly number[], ending: Ending): void {
  const tags = serials.map((serial, lba) => tagOf(lba, serial));
  oracle.check(new Map([[VOLUME, tags]]), ending);
}

function read(oracle: Oracle, serials: readonly number[]): void {
  const effect = oracle.begin(VOLUME, 0, serials.length, undefined);
  oracle.acknowledgeRead(
    effect,
    serials.map((serial, lba) => tagOf(lba, serial)),
  );
}

describe("a write that waited for space while its volume was shrunk", () => {
  const SHRUNK = 3;
  const parts = [
    [OLD, OLD, OLD],
    [NEW, NEW, NEW],
    [NEW, NEW, OLD],
    [OLD, NEW, OLD],
  ];

  it.each(parts)("is old or new in each sector: %i %i %i", (...serials) => {
    expect(() => read(failed("range", SHRUNK), serials)).not.toThrow();
    for (const ending of ["live", "kill", "power"] as const) {
      expect(() => check(failed("range", SHRUNK), serials, ending)).not.toThrow();
    }
  });

  it("leaves nothing else there", () => {
    expect(() => read(failed("range", SHRUNK), [NEW, 0, OLD])).toThrow(Violation);
    expect(() => check(failed("range", SHRUNK), [OLD, OLD, NEW + 1], "power")).toThrow(Violation);
  });

  it("is what the first read shows of it, from then on", () => {
    const oracle = failed("range", SHRUNK);
    read(oracle, [NEW, OLD, NEW]);
    expect(() => read(oracle, [NEW, OLD, NEW])).not.toThrow();
    expect(() => read(oracle, [NEW, NEW, NEW])).toThrow(/sector 1 reads write #6/);
  });

  it("is gone where the volume ended, when it grows again", () => {
    const grown = (): Oracle => {
      const oracle = failed("range", SHRUNK);
      oracle.acknowledgeManagement({ kind: "resize", volume: VOLUME, sectors: SHRUNK + 1 });
      return oracle;
    };
    expect(() => read(grown(), [NEW, NEW, NEW, 0])).not.toThrow();
    expect(() => read(grown(), [NEW, NEW, NEW, NEW])).toThrow(/sector 3 reads write #6/);
  });
});

describe("a write that fails otherwise", () => {
  it("may be there in part when its volume is being deleted, and is not", () => {
    expect(() => check(failed("gone"), [OLD, OLD, NEW, NEW, 5, 5, 6, 6], "power")).not.toThrow();
  });

  it("has done nothing to a volume that is read-only", () => {
    const shown = [NEW, OLD, OLD, OLD, OLD, OLD, OLD, OLD];
    expect(() => check(failed("read-only"), shown.fill(OLD), "live")).not.toThrow();
    expect(() => check(failed("read-only"), shown.fill(NEW, 0, 1), "power")).toThrow(Violation);
  });
});

describe("a write beside a rollback of its volume", () => {
  const SOURCE = 2;

  /** Both are acknowledged; which was first is not known. */
  function rolledBack(): Oracle {
    const oracle = written();
    oracle.acknowledgeManagement({ kind: "create", volume: SOURCE, sectors: SECTORS });
    const source = oracle.beginCopy(SOURCE);
    const change = oracle.beginReplacement(VOLUME);
    const pending = {
      kind: "rollback",
      volume: VOLUME,
      source: SOURCE,
      read: source,
      change,
    } as const;
    oracle.beginManagement(pending);
    oracle.acknowledge(oracle.begin(VOLUME, 0, SECTORS, NEW), false);
    oracle.acknowledgeManagement(pending);
    return oracle;
  }

  function checkBoth(oracle: Oracle, serial: number, ending: Ending): void {
    const blank = Array.from({ length: SECTORS }, () => tagOf(0, 0));
    const tags = blank.map((_, lba) => tagOf(lba, serial));
    oracle.check(
      new Map([
        [VOLUME, tags],
        [SOURCE, blank],
      ]),
      ending,
    );
  }

  it("is gone or there after a power loss, though it was seen: nobody has flushed it (profile full, seed 77152)", () => {
    for (const serial of [NEW, 0]) {
      const oracle = rolledBack();
      checkBoth(oracle, NEW, "live");
      expect(() => checkBoth(oracle, serial, "power")).not.toThrow();
    }
    const flushed = rolledBack();
    checkBoth(flushed, NEW, "live");
    flushed.completeFlush(flushed.beginFlush());
    expect(() => checkBoth(flushed, 0, "power")).toThrow(/reads zeros after a power loss/);
  });
});
