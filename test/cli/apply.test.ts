import { describe, expect, it } from "vitest";
import { applyCommand, changesText } from "../../src/cli/apply.ts";

describe("what an application changes, for people", () => {
  it("is a line for each thing, and for each of its settings", () => {
    expect(applyCommand.command).toBe("apply <file>");
    expect(changesText([], false)).toContain("nothing changes");
    const text = changesText(
      [
        { action: "create", kind: "pool", name: "tank", fields: [] },
        {
          action: "change",
          kind: "target",
          name: "iqn.x",
          fields: [
            { field: "alias", before: null, after: '"new"' },
            { field: "", before: "1", after: null },
          ],
        },
        { action: "delete", kind: "account", name: "alice", fields: [] },
      ],
      true,
    );
    expect(text).toBe(
      '+ pool tank\n~ target iqn.x\n    alias: nothing -> "new"\n    all: 1 -> nothing\n- account alice\n' +
        "Nothing was changed: this is what would.\n",
    );
  });
});
