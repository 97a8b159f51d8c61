import { describe, expect, it } from "vitest";
import {
  addressAttribute,
  addressOf,
  decodeAttributes,
  DELIMITER,
  emptyAttribute,
  encodeAttributes,
  numberAttribute,
  numberOf,
  textAttribute,
  textOf,
} from "../../../src/control/isns/attribute.ts";
import { ATTRIBUTES_MAX } from "../../../src/control/isns/limits.ts";
import { IsnsProtocolError } from "../../../src/control/isns/protocol-error.ts";

describe("values", () => {
  it("are written as RFC 4171 6.1 has them", () => {
    expect(textAttribute(32, "abc").value.toString("hex")).toBe("61626300");
    expect(textAttribute(32, "abcd").value.toString("hex")).toBe("6162636400000000");
    expect(textAttribute(32, "").value.toString("hex")).toBe("00000000");
    expect(numberAttribute(17, 3260).value.toString("hex")).toBe("00000cbc");
    expect(addressAttribute(16, "192.0.2.5").value.toString("hex")).toBe(
      "00000000000000000000ffffc0000205",
    );
    expect(addressAttribute(16, "2001:db8::7").value.toString("hex")).toBe(
      "20010db8000000000000000000000007",
    );
  });

  it.each(["192.0.2.5", "::1", "::", "2001:db8::7", "1:2:3:4:5:6:7:8", "fe80::1"])(
    "of the address %s are read back",
    (address) => {
      expect(addressOf(addressAttribute(16, address))).toBe(address);
    },
  );

  it("of addresses are without zones, and IPv4 addresses of dual-stack sockets are IPv4", () => {
    expect(addressOf(addressAttribute(16, "fe80::1%eth0"))).toBe("fe80::1");
    expect(addressOf(addressAttribute(16, "::ffff:192.0.2.5"))).toBe("192.0.2.5");
  });

  it.each(["", "a", "iqn.2026-11.net.example:x", "\u00fcber"])(
    "of the text %j are read back",
    (text) => {
      expect(textOf(textAttribute(34, text))).toBe(text);
    },
  );

  it.each([
    ["a text without its end", () => textOf({ tag: 1, value: Buffer.from("abcd") })],
    ["a text with more behind its end", () => textOf({ tag: 1, value: Buffer.from("a\0b\0") })],
    ["no text", () => textOf(emptyAttribute(1))],
    ["a number of 8 bytes", () => numberOf({ tag: 1, value: Buffer.alloc(8) })],
    ["an address of 4 bytes", () => addressOf({ tag: 1, value: Buffer.alloc(4) })],
  ])("that are %s are refused", (_, read) => {
    expect(read).toThrow(IsnsProtocolError);
  });
});

describe("attributes", () => {
  const some = [
    textAttribute(32, "iqn.2026-11.net.example:x"),
    DELIMITER,
    numberAttribute(33, 0xffffffff),
    emptyAttribute(34),
    addressAttribute(16, "::1"),
  ];
  const bytes = encodeAttributes(some);

  it("are read back", () => {
    expect(decodeAttributes(bytes)).toEqual(some);
    expect(decodeAttributes(Buffer.alloc(0))).toEqual([]);
  });

  it("are refused when they are cut, unless it is between two", () => {
    let [whole, refused] = [0, 0];
    for (let length = 0; length < bytes.length; length++) {
      const part = Buffer.from(bytes.subarray(0, length));
      try {
        const read = decodeAttributes(part);
        expect(encodeAttributes(read)).toEqual(part);
        whole += 1;
      } catch (error) {
        expect(error).toBeInstanceOf(IsnsProtocolError);
        refused += 1;
      }
    }
    expect(whole).toBe(some.length);
    expect(refused).toBe(bytes.length - some.length);
  });

  it.each([
    ["not padded", "0000002000000003616200"],
    ["longer than all", "00000020fffffffc61626300"],
  ])("are refused when they are %s", (_, hex) => {
    expect(() => decodeAttributes(Buffer.from(hex, "hex"))).toThrow(IsnsProtocolError);
  });

  it("are refused when they are too many", () => {
    expect(decodeAttributes(Buffer.alloc(ATTRIBUTES_MAX * 8))).toHaveLength(ATTRIBUTES_MAX);
    expect(() => decodeAttributes(Buffer.alloc((ATTRIBUTES_MAX + 1) * 8))).toThrow("too many");
  });
});
