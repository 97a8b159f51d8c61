import { describe, expect, it } from "vitest";
import { applyCommand, changesText, pruneAsking } from "../../src/cli/apply.ts";
import type { ChangeReport } from "../../src/control/protocol.ts";

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

describe("pruning", () => {
  const would: readonly ChangeReport[] = [
    { action: "delete", kind: "target", name: "iqn.x", fields: [] },
    { action: "change", kind: "target", name: "iqn.y", fields: [] },
    { action: "delete", kind: "account", name: "alice", fields: [] },
  ];
  const body = { document: "targets: []", folder: "/", prune: true };

  async function asked(typed: string) {
    const calls: unknown[] = [];
    const questions: string[] = [];
    const call = (_name: string, given: unknown) => {
      calls.push(given);
      return Promise.resolve(would);
    };
    const ask = (question: string): Promise<string> => {
      questions.push(question);
      return Promise.resolve(typed);
    };
    const answer = await pruneAsking({ call } as never, body, { isTerminal: true, ask }).catch(
      (error: unknown) => String(error),
    );
    return { calls, questions, answer };
  }

  it("takes away what was confirmed, and nothing else", async () => {
    const { calls, questions, answer } = await asked("prune");
    expect(questions).toEqual([
      "It takes away target iqn.x, account alice.\nType prune to go on: ",
    ]);
    const mayGo = [
      { kind: "target", name: "iqn.x" },
      { kind: "account", name: "alice" },
    ];
    expect(calls).toEqual([
      { ...body, dryRun: true },
      { ...body, mayGo },
    ]);
    expect(answer).toBe(would);
  });

  it("changes nothing without that", async () => {
    const { calls, answer } = await asked("no");
    expect([calls.length, answer]).toEqual([1, expect.stringContaining("not confirmed")]);
  });
});
