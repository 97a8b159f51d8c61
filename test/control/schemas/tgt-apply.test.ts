import { describe, expect, it } from "vitest";
import { checkArguments } from "../../../src/control/operations/arguments.ts";
import { TGT_APPLY_SCHEMAS } from "../../../src/control/schemas/tgt-apply.ts";

const NOTHING = {
  wanted: { targets: [], accounts: [], discovery: null, system: [] },
  remove: [],
  spareOthers: false,
  onlyNew: false,
  force: false,
  dryRun: false,
};

describe("the arguments of tgt/apply", () => {
  const schema = TGT_APPLY_SCHEMAS["tgt/apply"].arguments;

  it("take a document", () => {
    expect(checkArguments(schema, NOTHING)).toEqual(NOTHING);
  });

  it.each([
    [{ ...NOTHING, more: 1 }, '"more" is no argument'],
    [{ ...NOTHING, remove: [""] }, "remove[0] must be"],
    [{ ...NOTHING, wanted: { ...NOTHING.wanted, targets: [{}] } }, "wanted.targets[0]"],
    [{ ...NOTHING, remove: Array.from({ length: 16_385 }, () => "a") }, "remove must be"],
  ])("refuse what is none: %#", (body, words) => {
    expect(() => checkArguments(schema, body)).toThrow(words);
  });
});
