import { describe, expect, it } from "vitest";
import { complaints, parse } from "./support.ts";

const VOLUMES =
  "volumes: { a: { driver: memory, size: 1MiB }, b: { driver: memory, size: 1MiB } }\n";

function targets(...bodies: string[]): string {
  return `${VOLUMES}targets:\n${bodies.map((body) => `  - ${body}\n`).join("")}`;
}

describe("checks across the configuration", () => {
  it("lets two targets lead to one volume, described alike", () => {
    const text = targets(
      "{ name: iqn.2026-11.net.example:x, luns: [{ lun: 0, volume: a }, { lun: 1, volume: b }] }",
      "{ name: iqn.2026-11.net.example:y, luns: [{ lun: 5, volume: a }] }",
    );
    expect(complaints(text)).toEqual([]);
    expect(parse(text).warnings).toEqual([]);
  });

  it("refuses two descriptions of one volume", () => {
    expect(
      complaints(
        targets(
          "{ name: iqn.2026-11.net.example:x, luns: [{ lun: 0, volume: a }] }",
          "{ name: iqn.2026-11.net.example:y, luns: [{ lun: 0, volume: a, blockSize: 4096 }] }",
        ),
      ),
    ).toEqual([expect.stringMatching(/^4:.*"a" is described in another way on line 3/)]);
  });

  it("refuses one name for two targets, whatever its case", () => {
    expect(
      complaints(
        targets(
          "{ name: iqn.2026-11.net.example:x, luns: [] }",
          "{ name: iqn.2026-11.net.example:X, luns: [] }",
        ),
      ),
    ).toEqual([expect.stringMatching(/^4:13 targets\.2\.name: .* the target on line 3/)]);
  });

  it("refuses a secret that proves an initiator here and a target there", () => {
    const target = (name: string, auth: string): string =>
      `{ name: "iqn.2026-11.net.example:${name}", luns: [], auth: { ${auth} } }`;
    const alice = "accounts: [{ user: alice, password: alicealice12 }]";
    const bob = "accounts: [{ user: bob, password: bobbobbobbob }]";
    const self = (secret: string): string => `mutual: { user: self, password: ${secret} }`;
    const good = targets(
      target("x", `${alice}, ${self("selfselfself")}`),
      target("y", `${alice}, ${self("selfselfself")}`),
    );
    expect(complaints(good)).toEqual([]);
    const bad = targets(target("x", bob), target("y", `${alice}, ${self("bobbobbobbob")}`));
    expect(complaints(bad)).toEqual([
      expect.stringMatching(/^4:.*targets\.2\.auth\.mutual: .*"bob" on line 3/),
    ]);
    const lister = `${targets(target("x", `${alice}, ${self("bobbobbobbob")}`))}discovery: { auth: { ${bob} } }`;
    expect(complaints(lister)).toEqual([expect.stringMatching(/^3:.*"bob" on line 4/)]);
    expect(complaints(lister).join("")).not.toContain("bobbobbobbob");
  });

  it("refuses one uuid for two volumes", () => {
    const uuid = "6fa459ea-ee8a-4ca4-894e-db77e160355e";
    const volume = `{ driver: memory, size: 1MiB, uuid: ${uuid} }`;
    expect(complaints(`volumes:\n  a: ${volume}\n  b: ${volume}\ntargets: []`)).toEqual([
      expect.stringContaining('volumes.b: "a" has the same uuid'),
    ]);
  });

  it("goes on where a part has problems of its own, without false alarms about it", () => {
    const text = `volumes: { a: { driver: memory, size: 1XB } }
portals: [{ listen: "1.2.3.4:0" }, { listen: "1.2.3.4.5", group: 2 }]
targets:
  - { name: "iqn.2026-11.net.example:x", luns: [{ lun: 0, volume: a }], portalGroups: [2] }
  - { name: "iqn.2026-11.net.example:x", luns: [{ lun: 0, volume: c }] }
`;
    expect(complaints(text)).toEqual([
      expect.stringContaining("volumes.a.size"),
      expect.stringContaining("portals.2.listen"),
      expect.stringContaining("targets.2.name"),
      expect.stringContaining('no volume "c"'),
    ]);
  });
});
