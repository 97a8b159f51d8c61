import { expect, it } from "vitest";
import { showPortals } from "../../../../src/control/tgt/show/show-portal.ts";

it("shows the newest portal first, IPv6 in brackets", () => {
  const portals = [
    { address: "0.0.0.0", port: 3260, groupTag: 1 },
    { address: "::", port: 3261, groupTag: 1 },
  ];
  expect(showPortals(portals)).toBe("Portal: [::]:3261,1\nPortal: 0.0.0.0:3260,1\n");
  expect(showPortals([])).toBe("");
});
