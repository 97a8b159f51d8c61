import { describe, expect, it } from "vitest";
import {
  fromStart,
  guidAt,
  lvmUuidAt,
  md090Uuid,
  serialAt,
  textAt,
  uuidAt,
  uuidTextAt,
  vmfsUuidAt,
  wideTextAt,
  wordAt,
  type Extract,
} from "../../../src/thin/members/signature.ts";
import { TestView } from "./support/view.ts";

const AT = 1000;

function extract(content: string | Uint8Array, how: Extract): string | null {
  return how(new TestView().put(AT + 8, content).view, AT);
}

const counting = Uint8Array.from([...Array(16).keys()].map((index) => index * 16 + index));

describe("what is read beside a signature", () => {
  it("is a UUID in the order of its format", () => {
    expect(extract(counting, uuidAt(8))).toBe("00112233-4455-6677-8899-aabbccddeeff");
    expect(extract(counting, guidAt(8))).toBe("33221100-5544-7766-8899-aabbccddeeff");
    expect(extract(counting, vmfsUuidAt(8))).toBe("33221100-77665544-9988-aabbccddeeff");
  });

  it("is nothing where there are zeros, or nothing in view", () => {
    expect(extract(Buffer.alloc(16), uuidAt(8))).toBeNull();
    expect(extract(Buffer.alloc(16), vmfsUuidAt(8))).toBeNull();
    expect(extract(Buffer.alloc(8), serialAt(8, 8))).toBeNull();
    expect(extract("x", uuidAt(-2 * AT))).toBeNull();
    expect(extract("x", textAt(-2 * AT, 8))).toBeNull();
  });

  it("is a serial number", () => {
    expect(extract("\x78\x56\x34\x12", serialAt(8, 4))).toBe("1234-5678");
    expect(extract("\x78\x56\x34\x12\0\0\0\xab", serialAt(8, 8))).toBe("AB00000012345678");
    expect(extract("\x78\x56\x34\x12", wordAt(8))).toBe("12345678");
  });

  it("is text, and nothing that a terminal obeys", () => {
    expect(extract("label \0rest", textAt(8, 16))).toBe("label");
    expect(extract("a\x1b[2Jb\x07", textAt(8, 16))).toBe("a[2Jb");
    expect(extract("\0\0", textAt(8, 16))).toBeNull();
    expect(extract(Buffer.from("wide\0x", "utf16le"), wideTextAt(8, 32))).toBe("wide");
  });

  it("is an identity that is kept as text, if it is one", () => {
    const uuid = "0fc63daf-8483-4772-8e79-3d69d8477de4";
    expect(extract(uuid.toUpperCase(), uuidTextAt(8, 40))).toBe(uuid);
    expect(extract(uuid.replaceAll("-", ""), uuidTextAt(8, 32))).toBe(uuid);
    expect(extract("not a uuid", uuidTextAt(8, 40))).toBeNull();
    expect(extract("aBcdef0123456789aBcdef0123456789", lvmUuidAt(8))).toBe(
      "aBcdef-0123-4567-89aB-cdef-0123-456789",
    );
    expect(extract("short", lvmUuidAt(8))).toBeNull();
  });

  it("is the scattered UUID of md 0.90", () => {
    const sb = Buffer.alloc(64);
    for (const [index, at] of [20, 52, 56, 60].entries()) sb.writeUInt32LE(index + 1, at);
    const view = new TestView().put(AT, sb).view;
    expect(md090Uuid(view, AT)).toBe("00000001-0000-0002-0000-000300000004");
  });

  it("may lie at the same place wherever the signature is", () => {
    const view = new TestView().put(8, "fixed").view;
    expect(fromStart(textAt(8, 8))(view, AT)).toBe("fixed");
  });
});
