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

  it("tells of each failure to who asks for all of them, before the others hear of the first", () => {
    const health = new Health("pool");
    const heard: string[] = [];
    health.onFailure(({ message }) => heard.push(`first ${message}`));
    const unsubscribe = health.onEachFailure(({ message }) => heard.push(`each ${message}`));
    health.fail(failure("fenced"));
    health.fail(failure("flush"));
    unsubscribe();
    health.fail(failure("more"));
    expect(heard).toEqual(["each pool: fenced", "first pool: fenced", "each pool: flush"]);
    health.onEachFailure(({ message }) => heard.push(`late ${message}`));
    expect(heard.slice(3)).toEqual(["late pool: fenced"]);
  });

  it("tells a listener that comes late at once", () => {
    const health = new Health("pool");
    health.fail(failure("gone"));
    const heard: string[] = [];
    health.onFailure(({ message }) => heard.push(message));
    expect(heard).toEqual(["pool: gone"]);
  });
});
