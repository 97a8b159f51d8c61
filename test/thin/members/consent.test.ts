import { describe, expect, it } from "vitest";
import { PoolError } from "../../../src/thin/pool-error.ts";
import { checkConsent } from "../../../src/thin/members/consent.ts";
import type { Finding } from "../../../src/thin/members/finding.ts";

const ext: Finding = { type: "ext4", offsetBytes: 1080, uuid: "aa", label: "home" };
const dos: Finding = { type: "dos", offsetBytes: 510, uuid: null, label: null };
const data: Finding = { type: "data", offsetBytes: 7, uuid: null, label: null };
const none = { wipe: [], acceptData: false };

function refusal(action: () => void): PoolError {
  try {
    action();
  } catch (error) {
    if (error instanceof PoolError) return error;
    throw error;
  }
  throw new Error("it was not refused");
}

describe("the consent to lose something", () => {
  it("is not needed where there is nothing", () => {
    checkConsent([{ path: "/a", findings: [] }], none);
  });

  it("names everything exactly", () => {
    const paths = [{ path: "/a", findings: [ext, { ...ext, offsetBytes: 9 }, dos] }];
    checkConsent(paths, { wipe: ["ext4:aa", "dos:-"], acceptData: false });
    for (const wipe of [[], ["ext4:aa"], ["dos:-"], ["ext4", "dos:-"], ["ext4:-", "dos:-"]]) {
      const error = refusal(() => checkConsent(paths, { wipe, acceptData: true }));
      expect(error.kind).toBe("foreign");
      expect(error.message).toContain("/a is not empty");
    }
  });

  it("says what is in the way, once, and how to name it", () => {
    const paths = [{ path: "/a", findings: [ext, { ...ext, offsetBytes: 9 }] }];
    const { message } = refusal(() => checkConsent(paths, none));
    expect(message).toBe(
      '/a is not empty: ext4:aa "home" at byte 1080; to destroy it give --wipe ext4:aa',
    );
  });

  it("is a word of its own for bytes of unknown meaning", () => {
    const paths = [{ path: "/a", findings: [data] }];
    checkConsent(paths, { wipe: [], acceptData: true });
    expect(refusal(() => checkConsent(paths, none)).message).toContain("not-empty");
    const named = { wipe: ["data:-"], acceptData: false };
    expect(refusal(() => checkConsent(paths, named)).kind).toBe("foreign");
  });

  it("is refused where it names what is not there: another disk was meant", () => {
    const paths = [{ path: "/a", findings: [ext] }];
    const error = refusal(() =>
      checkConsent(paths, { wipe: ["ext4:aa", "xfs:bb"], acceptData: false }),
    );
    expect(error.kind).toBe("invalid");
    expect(error.message).toContain('"xfs:bb"');
  });
});
