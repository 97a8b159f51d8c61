import { describe, expect, it } from "vitest";

import {
  normalizeIscsiName,
  parseIscsiName,
  parsePeerName,
} from "../../../src/iscsi/login/iscsi-name.ts";

const iqnOf = (bytes: number): string => "iqn.2001-04.com.example:".padEnd(bytes, "a");

describe("parseIscsiName", () => {
  it.each([
    ["iqn.2001-04.com.example", "iqn.2001-04.com.example"],
    ["iqn.2001-04.com.example:storage:disk_1.a-b", "iqn.2001-04.com.example:storage:disk_1.a-b"],
    ["IQN.2001-04.COM.Example:Disk", "iqn.2001-04.com.example:disk"],
    ["iqn.2001-04.com.example:\u00dc", "iqn.2001-04.com.example:\u00fc"],
    ["iqn.2001-04.com.example:\uff21", "iqn.2001-04.com.example:a"],
    ["eui.02004567A425678D", "eui.02004567a425678d"],
    ["naa.52004567BA64678D", "naa.52004567ba64678d"],
    ["naa.62004567BA64678D0123456789ABCDEF", "naa.62004567ba64678d0123456789abcdef"],
    [iqnOf(223), iqnOf(223)],
  ])("takes %s as %s", (text, name) => {
    expect(parseIscsiName(text)).toEqual({ ok: true, name });
  });

  it.each([
    "",
    "disk",
    "iqn.",
    "iqn.2001-13.com.example",
    "iqn.2001-00.com.example",
    "iqn.201-04.com.example",
    "iqn.2001-04.",
    "iqn.2001-04:x",
    "iqn.2001-04.com.example:a b",
    "iqn.2001-04.com.example:a\nb",
    "iqn.2001-04.com.example:a,b",
    "iqn.2001-04.com.example:a/b",
    "iqn.2001-04.com.example:\u20ac",
    "eui.02004567A425678",
    "eui.02004567A425678G",
    "naa.52004567BA64678D0",
    iqnOf(224),
    `${iqnOf(222)}\u00fc`,
    "a".repeat(100_000),
  ])("refuses %j", (text) => {
    const result = parseIscsiName(text);
    expect(result.ok).toBe(false);
  });
});

describe("parsePeerName", () => {
  it("takes names of no type, which initiators have", () => {
    expect(parsePeerName("Host1")).toEqual({ ok: true, name: "host1" });
    expect(parsePeerName("host 1").ok).toBe(false);
    expect(parsePeerName("").ok).toBe(false);
  });
});

it("normalizes only once", () => {
  for (const name of ["iqn.2001-04.com.example:\uff21\u00dc", "\u017f", "\u212b"]) {
    expect(normalizeIscsiName(normalizeIscsiName(name))).toBe(normalizeIscsiName(name));
  }
});
