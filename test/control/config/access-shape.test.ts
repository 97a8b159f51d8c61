import { describe, expect, it } from "vitest";
import { type BadConfig, itRefuses, parse, withTarget } from "./support.ts";

const LUN = "luns: [{ lun: 0, volume: disk }]";

describe("access rules of the configuration", () => {
  it("let everybody in where there are none", () => {
    const { config } = parse(withTarget(LUN));
    expect(config.targets[0]?.access).toMatchObject({ addresses: [], initiatorNames: [] });
  });

  const bad: readonly BadConfig[] = [
    [
      "a bad address",
      withTarget(LUN, "allow: { addresses: [10.0.0.1.2] }"),
      /^5:26 .*10\.0\.0\.1\.2/,
    ],
    [
      "a bad prefix",
      withTarget(LUN, "allow: { addresses: [10.0.0.0/33] }"),
      /prefix length from 0 to 32/,
    ],
    ["an empty name", withTarget(LUN, 'allow: { initiators: [""] }'), /1 to 223 bytes/],
    ["another match", withTarget(LUN, "allow: { match: some }"), /one of all, any/],
    ["a word of tgt's", withTarget(LUN, "allow: { initiator-address: ALL }"), /unknown key/],
  ];

  itRefuses(bad);
});
