import { describe, expect, it } from "vitest";
import { sessionCommand } from "../../../src/cli/session.ts";
import { selectionOf, sessionTable } from "../../../src/cli/session/commands.ts";
import type { SessionReport } from "../../../src/control/protocol.ts";

const SESSION: SessionReport = {
  tsih: 7,
  target: "iqn.2026-11.net.example:disk",
  initiator: "iqn.2026-11.net.example:host",
  initiatorAlias: null,
  isid: "400000000001",
  account: "alice",
  address: "192.0.2.7:40000",
  portal: "192.0.2.1:3260",
  since: "2026-11-23T16:00:00.000Z",
  parameters: {
    headerDigest: true,
    dataDigest: false,
    initiatorMaxRecvDataSegmentLength: 65_536,
    maxBurstLength: 262_144,
    firstBurstLength: 65_536,
    maxOutstandingR2T: 1,
    initialR2T: false,
    immediateData: true,
  },
};

describe("sessions for people", () => {
  it("are a line each", () => {
    expect(sessionCommand.command).toBe("session");
    expect(sessionTable([])).toBe("Nobody is logged in.\n");
    const both = { ...SESSION.parameters, dataDigest: true };
    const [, first, second, third] = sessionTable([
      SESSION,
      { ...SESSION, parameters: both, account: null },
      { ...SESSION, parameters: { ...both, headerDigest: false } },
    ]).split("\n");
    expect(first).toMatch(/^ +7 .*:host .*:disk .*40000 +alice +header +2026-11-23 16:00:00$/);
    expect(second).toMatch(/40000 +both /);
    expect(third).toMatch(/alice +data /);
  });

  it("are selected by what is given", () => {
    const none = { tsih: undefined, target: undefined, initiator: undefined };
    const daemon = { "state-dir": undefined, json: false };
    expect(selectionOf({ ...none, ...daemon })).toEqual({});
    expect(selectionOf({ tsih: 1, target: "t", initiator: "i", ...daemon })).toEqual({
      tsih: 1,
      target: "t",
      initiator: "i",
    });
  });
});
