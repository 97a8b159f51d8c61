import { describe, expect, it } from "vitest";

import { RejectReason } from "../../src/iscsi/pdu/reject.ts";
import { ProtocolError } from "../../src/iscsi/protocol-error.ts";

describe("ProtocolError", () => {
  it("says what to tell the peer, and by default nothing", () => {
    expect(new ProtocolError("x").rejectReason).toBeNull();
    const error = new ProtocolError("a hole", RejectReason.protocolError);
    expect(error).toMatchObject({
      name: "ProtocolError",
      message: "a hole",
      rejectReason: RejectReason.protocolError,
    });
  });
});
