import {
  decodeHeader,
  encodeAttributes,
  encodeHeader,
  TAPE_ATTRIBUTES_BYTES,
  TAPE_DATA_OFFSET,
  TAPE_HEADER_BYTES,
  TapeBlock,
  TapeMedium,
  type TapeHeader,
} from "../../../../src/cli/tgt/tgtimg/tape-layout.ts";

const SECONDS = 1_700_000_000;
const FIRST = BigInt(TAPE_DATA_OFFSET);

export const NO_HEADER: TapeHeader = {
  storedBytes: 0,
  blockSize: 0,
  type: TapeBlock.none,
  number: 0n,
  previous: 0n,
  current: 0n,
  next: 0n,
};

const BEGINNING = encodeHeader({
  ...NO_HEADER,
  blockSize: 10,
  type: TapeBlock.beginning,
  next: FIRST,
});

function attributes(change: (bytes: Uint8Array) => void = () => undefined): Uint8Array {
  const bytes = encodeAttributes(TapeMedium.data, "A1", 10n, SECONDS);
  change(bytes);
  return bytes;
}

/** A tape of blocks of these types, each with a few bytes; the last is the end. */
export function tapeOf(...types: readonly number[]): Uint8Array {
  const parts: Uint8Array[] = [BEGINNING, attributes()];
  let previous = 0n;
  let current = FIRST;
  for (const [index, type] of [...types, TapeBlock.end].entries()) {
    const storedBytes = type === TapeBlock.end ? 0 : index * 3;
    const next =
      type === TapeBlock.end ? current : current + BigInt(TAPE_HEADER_BYTES + storedBytes);
    const number = BigInt(index + 1);
    parts.push(
      encodeHeader({ storedBytes, blockSize: 100 + index, type, number, previous, current, next }),
      new Uint8Array(storedBytes).fill(0x64),
    );
    [previous, current] = [current, next];
  }
  return Buffer.concat(parts);
}

function withSerial(serial: string): Uint8Array {
  const text = Buffer.from(serial.padEnd(32, "\0"), "latin1");
  const changed = attributes((bytes) => bytes.set(text, 264));
  return Buffer.concat([BEGINNING, changed, tapeOf().subarray(TAPE_DATA_OFFSET)]);
}

function withAttribute(offset: number, value: number): Uint8Array {
  const changed = attributes((bytes) => bytes.fill(value, offset, offset + 1));
  return Buffer.concat([BEGINNING, changed, tapeOf().subarray(TAPE_DATA_OFFSET)]);
}

function withByte(tape: Uint8Array, offset: number, value: number): Uint8Array {
  const changed = Uint8Array.from(tape);
  changed[offset] = value;
  return changed;
}

/** Tapes with something wrong or rare about them, by what it is. */
export function crookedTapes(): Readonly<Record<string, Uint8Array>> {
  const plain = tapeOf(TapeBlock.data, TapeBlock.filemark);
  const cut = (bytes: number): Uint8Array => plain.subarray(0, bytes);
  const big = encodeHeader({
    storedBytes: 0xffff_fff0,
    blockSize: 0x8000_0005,
    type: 0x8000_0001,
    number: 2n ** 63n + 1n,
    previous: 2n ** 64n - 1n,
    current: FIRST,
    next: 2n ** 63n + 5n,
  });
  const start = Buffer.concat([BEGINNING, attributes()]);
  return {
    plain,
    "every type": tapeOf(0, 1, 2, 3, 4, 8, 0x10, 0x11, 0x21, 0x40, 0x80),
    empty: cut(0),
    "half a header": cut(20),
    "a header": cut(TAPE_HEADER_BYTES),
    "half of the attributes": cut(TAPE_HEADER_BYTES + TAPE_ATTRIBUTES_BYTES / 2),
    "no blocks": cut(TAPE_DATA_OFFSET),
    "half a block's header": cut(TAPE_DATA_OFFSET + 20),
    "no end": plain.subarray(0, plain.length - 10),
    "a wrong checksum at first": withByte(plain, 11, 9),
    "a wrong checksum later": withByte(plain, TAPE_DATA_OFFSET + 11, 9),
    "signed numbers": Buffer.concat([start, big]),
    "an end at first": withByte(plain, 15, TapeBlock.end),
    "another version": withByte(plain, TAPE_HEADER_BYTES + 3, 3),
    "a large version": withByte(plain, TAPE_HEADER_BYTES, 0xab),
    zeros: new Uint8Array(5000),
    "no time": withSerial("A1"),
    "no barcode": withSerial("_1700000000"),
    "two underscores": withSerial("A_1_1000000000"),
    "an early time": withSerial("A1_-5"),
    "a time in words": withSerial("A1_now"),
    "a time after all": withSerial("A1_99999999999999999999"),
    "a late time": withSerial("A1_253402300800"),
    ...Object.fromEntries(
      [0, 1, 2, 3, 4, 5, 6, 255].map((type) => [`medium ${type}`, withAttribute(336, type)]),
    ),
  };
}

/** A tape whose second header leads back to itself. */
export function endlessTape(): Uint8Array {
  const start = Buffer.concat([BEGINNING, attributes()]);
  const back = encodeHeader({ ...NO_HEADER, type: TapeBlock.data, current: FIRST, next: FIRST });
  if (decodeHeader(back).next !== FIRST) throw new Error("the header does not lead back");
  return Buffer.concat([start, back]);
}
