import { describe, expect, it } from "vitest";
import { portalCommand } from "../../../src/cli/portal.ts";
import { portalTable } from "../../../src/cli/portal/commands.ts";

describe("portals for people", () => {
  it("are a line each", () => {
    expect(portalCommand.command).toBe("portal");
    expect(portalTable([])).toContain("nobody can connect");
    const portal = {
      listen: "127.0.0.1:0",
      address: "127.0.0.1:40000",
      group: 1,
      advertise: null,
      origin: "command",
    } as const;
    const [, first, second] = portalTable([
      portal,
      { ...portal, address: null, advertise: "nat.example:3260" },
    ]).split("\n");
    expect(first).toMatch(/^127\.0\.0\.1:0 +127\.0\.0\.1:40000 +1 +command$/);
    expect(second).toMatch(/nothing: see the log +1 +nat\.example:3260 +command$/);
  });
});
