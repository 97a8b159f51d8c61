import { expect, it } from "vitest";
import { showSystem } from "../../../../src/control/tgt/show/show-system.ts";
import { system } from "./shown-examples.ts";

it("shows the name service that is on", () => {
  const isns = { enabled: true, serverAddress: "10.0.0.9", serverPort: 1, accessControl: false };
  expect(showSystem(system({ isns }))).toMatch(
    /\niSNS:\n    iSNS=On\n    iSNSServerIP=10\.0\.0\.9\n    iSNSServerPort=1\n    iSNSAccessControl=Off\n$/,
  );
});

it("shows the outgoing account of discovery only beside others", () => {
  const alone = system({ discoveryAccounts: { incoming: [], outgoing: "a" } });
  expect(showSystem(alone)).toBe(showSystem(system()));
  const both = system({ discoveryAccounts: { incoming: ["b"], outgoing: "a" } });
  expect(showSystem(both)).toContain("    Account information:\n\n    b\n    a (outgoing)\niSNS:");
});
