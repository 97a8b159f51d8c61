import { describe, expect, it } from "vitest";
import { describeFinding, findingName } from "../../../src/thin/members/finding.ts";

describe("a finding", () => {
  it("is named by its type and identity", () => {
    const finding = { type: "ext4", offsetBytes: 1080, uuid: "1-2", label: "home" };
    expect(findingName(finding)).toBe("ext4:1-2");
    expect(findingName({ ...finding, uuid: null })).toBe("ext4:-");
    expect(describeFinding(finding)).toBe('ext4:1-2 "home" at byte 1080');
    expect(describeFinding({ ...finding, label: null, offsetBytes: -1 })).toBe("ext4:1-2");
  });
});
