import { describe, expect, it } from "vitest";

import { readiness } from "../../src/control/health.ts";
import { IoError } from "../../src/util/io-error.ts";

const whole = { pool: { name: "tank", failure: null } };
const failed = { pool: { name: "lake", failure: new IoError("failed", "x", { object: "lake" }) } };

describe("readiness", () => {
  it("finds nothing wrong with a daemon that serves", () => {
    expect(readiness({ isRunning: true, portals: 1, pools: [whole] })).toEqual([]);
    expect(readiness({ isRunning: true, portals: null, pools: [] })).toEqual([]);
  });

  it("names all that is wrong", () => {
    expect(readiness({ isRunning: true, portals: 0, pools: [whole, failed] })).toEqual([
      "no portal is open",
      "pool lake failed",
    ]);
  });

  it("does not miss portals of a daemon that only starts", () => {
    expect(readiness({ isRunning: false, portals: 0, pools: [] })).toEqual([
      "the daemon is starting or stopping",
    ]);
  });
});
