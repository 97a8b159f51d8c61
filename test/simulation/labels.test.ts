import { describe, expect, it } from "vitest";
import type { Label, LabelChange } from "./labels.ts";
import { Labels } from "./labels.ts";
import type { Ending } from "./oracle.ts";
import { Violation } from "./violation.ts";

const LABEL: Label = { name: "a", reservedBytes: 10, quotaBytes: 20 };

function checked(found: Label, pending: readonly LabelChange[], ending: Ending): () => void {
  const labels = new Labels();
  labels.set(1, { ...LABEL, name: "before" });
  labels.change({ volume: 1, label: { name: "a" } });
  return () => labels.check(new Map([[1, found]]), pending, ending);
}

describe("the labels of volumes", () => {
  it("are what they were changed to last, in each part", () => {
    expect(checked(LABEL, [], "power")).not.toThrow();
    expect(checked({ ...LABEL, name: "before" }, [], "power")).toThrow(Violation);
    expect(checked({ ...LABEL, quotaBytes: 0 }, [], "live")).toThrow(Violation);
  });

  it("may be what they were about to be changed to, as a whole", () => {
    const change = { volume: 1, label: { reservedBytes: 0, quotaBytes: 0 } };
    expect(checked(LABEL, [change], "kill")).not.toThrow();
    expect(checked({ name: "a", reservedBytes: 0, quotaBytes: 0 }, [change], "kill")).not.toThrow();
    expect(checked({ ...LABEL, quotaBytes: 0 }, [change], "kill")).toThrow(Violation);
  });

  it("are forgotten with their volume", () => {
    const labels = new Labels();
    labels.set(1, LABEL);
    labels.delete(1);
    labels.change({ volume: 1, label: { name: "b" } });
    expect(() => labels.check(new Map([[1, { ...LABEL, name: "c" }]]), [], "live")).not.toThrow();
  });
});
