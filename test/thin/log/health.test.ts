import { describe, expect, it } from "vitest";
import { Health } from "../../../src/thin/log/health.ts";
import { IoError } from "../../../src/util/io-error.ts";

function failure(message: string): IoError {
  return new IoError("failed", message, { object: "pool" });
}

describe("the health of a pool", () => {
  it("keeps the first failure, and tells each listener once", () => {
    const health = new Health("pool");
    const heard: string[] = [];
    health.onFailure((error) => heard.push(`a ${error.message}`));
    const unsubscribe = health.onFailure((error) => heard.push(`b ${error.message}`));
    unsubscribe();
    expect(health.failure).toBeNull();
    const first = failure("first");
    health.fail(first);
    health.fail(failure("second"));
    expect(health.failure).toBe(first);
    expect(heard).toEqual(["a pool: first"]);
  });

  it("tells a listener that comes late at once", () => {
    const health = new Health("pool");
    health.fail(failure("gone"));
    const heard: string[] = [];
    health.onFailure(({ message }) => heard.push(message));
    expect(heard).toEqual(["pool: gone"]);
  });
});
