import { describe, expect, it } from "vitest";
import { problemOf, RefusedRequest } from "../../../src/control/http/problem.ts";
import { ERROR_KINDS, OperationError } from "../../../src/control/protocol.ts";

describe("problem documents", () => {
  it("tell of an error by HTTP's status and our kind", () => {
    expect(problemOf(new OperationError("space", "the pool is full"))).toEqual({
      type: "about:blank",
      title: "Insufficient Storage",
      status: 507,
      detail: "the pool is full",
      kind: "space",
    });
    const refused = new RefusedRequest(413, "invalid", "too long");
    expect(problemOf(refused)).toMatchObject({ status: 413, kind: "invalid" });
  });

  it("have a status of an error for each kind", () => {
    for (const kind of ERROR_KINDS) {
      const { status, title } = problemOf(new OperationError(kind, "x"));
      expect(status).toBeGreaterThanOrEqual(400);
      expect(title).not.toBe("Error");
    }
  });
});
