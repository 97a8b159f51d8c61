import { expect, it } from "vitest";
import { driverLines, showDrivers } from "../../../../src/control/tgt/show/show-driver.ts";

const drivers = [
  { name: "iscsi", state: "ready", targets: [{ tid: 2, name: "iqn.a:b" }] },
  { name: "iser", state: "error", targets: [] },
] as const;

it("shows drivers with their targets, or without", () => {
  expect(showDrivers(drivers)).toBe(
    "LLDs:\n    iscsi: ready\n        Target 2: iqn.a:b\n    iser: error\n",
  );
  expect(driverLines(drivers)).toBe("LLDs:\n    iscsi: ready\n    iser: error\n");
});
