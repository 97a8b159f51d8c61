import { describe, expect, it } from "vitest";
import { PLANE_OPERATIONS } from "../../../src/control/operations/plane-table.ts";

describe("the operations of the control plane", () => {
  it("are for monitoring only where they change nothing", () => {
    for (const [name, { role, isReading = false }] of Object.entries(PLANE_OPERATIONS)) {
      expect(role === "read", name).toBe(isReading);
      if (isReading) expect(name).toMatch(/\/(?:list|show|stat|status)$/);
    }
  });

  it("are for administrators where they reach files of the host, or secrets", () => {
    const admin = Object.entries(PLANE_OPERATIONS).filter(([, { role }]) => role === "admin");
    expect(admin.map(([name]) => name).toSorted()).toEqual([
      "account/create",
      "account/delete",
      "account/set",
      "portal/create",
      "portal/delete",
      "system/apply",
      "target/auth",
      "target/map",
    ]);
  });
});
