import { expect, it } from "vitest";
import { showConnections } from "../../../../src/control/tgt/show/show-connection.ts";
import { nexus } from "./shown-examples.ts";

it("shows nothing without sessions", () => {
  expect(showConnections([])).toBe("");
});

it("shows all connections of a session, with its initiator in each", () => {
  const connections = [
    { cid: 0, address: "10.0.0.1" },
    { cid: 1, address: "::1" },
  ];
  expect(showConnections([{ ...nexus(4, "iqn.a:\nb", "alias"), connections }])).toBe(
    [
      "Session: 4",
      "    Connection: 0",
      "        Initiator: iqn.a:\\u000ab",
      "        IP Address: 10.0.0.1",
      "    Connection: 1",
      "        Initiator: iqn.a:\\u000ab",
      "        IP Address: ::1",
      "",
    ].join("\n"),
  );
});
