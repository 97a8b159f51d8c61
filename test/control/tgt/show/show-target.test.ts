import { expect, it } from "vitest";
import { showTargets } from "../../../../src/control/tgt/show/show-target.ts";
import { nexus, target } from "./shown-examples.ts";

it("shows each connection of a session", () => {
  const connections = [
    { cid: 0, address: "10.0.0.1" },
    { cid: 7, address: "fe80::1" },
  ];
  const text = showTargets([
    target(1, [], { nexuses: [{ ...nexus(3, "iqn.2026-01.com.example:a"), connections }] }),
  ]);
  expect(text).toContain(
    [
      "        I_T nexus: 3",
      "            Initiator: iqn.2026-01.com.example:a alias: none",
      "            Connection: 0",
      "                IP Address: 10.0.0.1",
      "            Connection: 7",
      "                IP Address: fe80::1",
      "    LUN information:",
      "",
    ].join("\n"),
  );
});

it("lets no initiator write lines of its own", () => {
  const forged = "x\nTarget 9: iqn.2026-01.com.example:forged";
  const text = showTargets([target(1, [], { nexuses: [nexus(1, forged, forged)] })]);
  expect(text.match(/^Target /gm)).toHaveLength(1);
  expect(text).toContain("Initiator: x\\u000aTarget 9: ");
  expect(text).toContain(" alias: x\\u000aTarget 9: ");
});

it("shows the count of NOPs with an interval only", () => {
  expect(showTargets([target(1, [], { nopCount: 3 })])).not.toContain("Nop");
});

it("leaves the order of what it is given alone", () => {
  const targets = [target(2, [{ lun: 5 }, { lun: 3 }]), target(1)];
  const before = JSON.stringify(targets);
  showTargets(targets);
  expect(JSON.stringify(targets)).toBe(before);
});
