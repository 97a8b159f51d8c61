import { describe, expect, it } from "vitest";
import { isFault } from "../../../src/thin/format/fault.ts";
import { decodeHeartbeat, encodeHeartbeat } from "../../../src/thin/members/heartbeat-block.ts";
import { testUuid } from "./support/superblock.ts";

const beat = { poolUuid: testUuid(1), hostId: testUuid(2), nonce: testUuid(3), counter: 2 ** 40 };

describe("the heartbeat block", () => {
  it("says what was put into it", () => {
    const bytes = encodeHeartbeat(beat);
    expect(bytes).toHaveLength(4096);
    expect(decodeHeartbeat(bytes)).toEqual(beat);
  });

  it("is refused with any byte changed", () => {
    const bytes = encodeHeartbeat(beat);
    for (const [index, byte] of bytes.entries()) {
      bytes[index] = byte ^ 0x10;
      expect(isFault(decodeHeartbeat(bytes)), `byte ${index}`).toBe(true);
      bytes[index] = byte;
    }
    expect(decodeHeartbeat(new Uint8Array(4096))).toMatchObject({ kind: "absent" });
    expect(decodeHeartbeat(bytes.subarray(1))).toMatchObject({ kind: "absent" });
  });
});
