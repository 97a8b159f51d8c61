import { describe, expect, it } from "vitest";

import { ConnectionStatistics } from "../../src/iscsi/connection-statistics.ts";
import { LoginStatus } from "../../src/iscsi/login/login-status.ts";
import { ServerTotals } from "../../src/iscsi/server-totals.ts";

describe("ServerTotals", () => {
  it("counts what connections do that are there and that are over, each once", () => {
    const totals = new ServerTotals();
    const first = new ConnectionStatistics();
    const second = new ConnectionStatistics();
    totals.connectionOpened(first);
    totals.connectionOpened(second);
    first.received(100);
    second.received(20);
    expect(totals.connections.receivedOctets).toBe(120);
    totals.connectionClosed(first);
    totals.connectionClosed(first);
    second.received(3);
    expect(totals.connections.receivedOctets).toBe(123);
    totals.connectionClosed(second);
    expect(totals.connections.receivedOctets).toBe(123);
    expect(totals.connectionsAccepted).toBe(2);
  });

  it("counts refused logins by their status", () => {
    const totals = new ServerTotals();
    totals.loginRefused(LoginStatus.notFound);
    totals.loginRefused(LoginStatus.authenticationFailure);
    totals.loginRefused(LoginStatus.notFound);
    expect([...totals.refusedLogins]).toEqual([
      [LoginStatus.notFound, 2],
      [LoginStatus.authenticationFailure, 1],
    ]);
  });
});
