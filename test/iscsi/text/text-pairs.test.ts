import { describe, expect, it } from "vitest";

import { TEXT_PAIRS_MAX } from "../../../src/iscsi/login/limits.ts";
import { decodeTextPairs, encodeTextPairs } from "../../../src/iscsi/text/text-pairs.ts";
import { chooseSeed, SeededRandom } from "../../../src/util/random.ts";

const bytes = (text: string): Uint8Array => Buffer.from(text);

describe("decodeTextPairs", () => {
  it.each<[string, readonly (readonly [string, string])[]]>([
    ["", []],
    ["\0", []],
    ["\0\0\0", []],
    ["A=1\0", [["A", "1"]]],
    ["A=\0", [["A", ""]]],
    ["A==\0", [["A", "="]]],
    [
      "\0A=1\0\0\0B=2\0\0",
      [
        ["A", "1"],
        ["B", "2"],
      ],
    ],
    ["X#a.b-c+d@e_f=g\0", [["X#a.b-c+d@e_f", "g"]]],
    ["Alias=gr\u00fc\u00df dich, \u{1f4be}\0", [["Alias", "gr\u00fc\u00df dich, \u{1f4be}"]]],
    [`${"K".repeat(63)}=1\0`, [["K".repeat(63), "1"]]],
    [`A=${"v".repeat(255)}\0`, [["A", "v".repeat(255)]]],
    [`A=${"v".repeat(255)},${"w".repeat(255)}\0`, [["A", `${"v".repeat(255)},${"w".repeat(255)}`]]],
    [`A=0x${"f".repeat(2048)}\0`, [["A", `0x${"f".repeat(2048)}`]]],
    [`A=0B${"f".repeat(1368)}\0`, [["A", `0B${"f".repeat(1368)}`]]],
  ])("takes %j", (text, expected) => {
    const pairs = expected.map(([key, value]) => ({ key, value }));
    expect(decodeTextPairs(bytes(text))).toEqual({ ok: true, pairs });
  });

  it.each([
    ["A=1", "unterminated"],
    ["A=1\0B", "unterminated"],
    ["A\0", "no-equals"],
    ["=1\0", "bad-key"],
    ["A B=1\0", "bad-key"],
    ["\u00c4=1\0", "bad-key"],
    ["A=1\0\n=2\0", "bad-key"],
    ["A=1\0A=1\0", "duplicate-key"],
    [`${"K".repeat(64)}=1\0`, "long-key"],
    [`A=${"v".repeat(256)}\0`, "long-value"],
    [`A=a,${"v".repeat(256)},b\0`, "long-value"],
    [`A=0x${"f".repeat(2049)}\0`, "long-value"],
    [`A=0y${"f".repeat(300)}\0`, "long-value"],
  ])("refuses %j as %s", (text, kind) => {
    expect(decodeTextPairs(bytes(text))).toMatchObject({ ok: false, kind });
  });

  it("refuses bytes that are not UTF-8", () => {
    for (const value of [
      [0xff],
      [0xc3],
      [0xc0, 0x80],
      [0xed, 0xa0, 0x80],
      [0xf5, 0x80, 0x80, 0x80],
    ]) {
      const text = Uint8Array.of(0x41, 0x3d, ...value, 0);
      expect(decodeTextPairs(text)).toMatchObject({ ok: false, kind: "bad-utf8" });
    }
  });

  it("does not take a byte order mark off a value", () => {
    expect(decodeTextPairs(bytes("A=\ufeffa\0"))).toMatchObject({ pairs: [{ value: "\ufeffa" }] });
  });

  it("counts the pairs", () => {
    const text = (count: number): Uint8Array =>
      bytes(Array.from({ length: count }, (_, index) => `K${index}=\0`).join(""));
    expect(decodeTextPairs(text(TEXT_PAIRS_MAX)).ok).toBe(true);
    expect(decodeTextPairs(text(TEXT_PAIRS_MAX + 1))).toMatchObject({ kind: "too-many-pairs" });
  });

  const seed = chooseSeed(process.env);
  it(`neither throws on random texts nor changes what it took (seed ${seed})`, () => {
    const random = new SeededRandom(seed);
    const alphabet = ["A", "B", "=", "=", ",", "\0", "\0", "0", "x", "\u00fc", "\u{1f4be}"].map(
      (one) => Buffer.from(one),
    );
    let taken = 0;
    for (let round = 0; round < 5000; round++) {
      const text = Buffer.concat(
        Array.from({ length: random.below(12) }, () =>
          random.chance(0.02) ? random.bytes(1) : random.pick(alphabet),
        ),
      );
      const decoded = decodeTextPairs(text);
      if (!decoded.ok) continue;
      taken++;
      expect(decodeTextPairs(encodeTextPairs(decoded.pairs))).toEqual(decoded);
    }
    expect(taken).toBeGreaterThan(0);
  });
});

it("encodes keys that repeat", () => {
  const pair = { key: "TargetAddress", value: "192.0.2.1:3260,1" };
  expect(Buffer.from(encodeTextPairs([pair, pair])).toString()).toBe(
    "TargetAddress=192.0.2.1:3260,1\0".repeat(2),
  );
  expect(encodeTextPairs([])).toHaveLength(0);
});
