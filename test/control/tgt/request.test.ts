import { describe, expect, it } from "vitest";
import {
  decodeRequest,
  encodeRequest,
  NO_LUN,
  NO_TARGET_ID,
  requestBytes,
  type TgtRequest,
} from "../../../src/control/tgt/request.ts";
import { chooseSeed, SeededRandom } from "../../../src/util/random.ts";

const NONE: TgtRequest = {
  mode: 0,
  operation: 0,
  driver: "",
  targetId: NO_TARGET_ID,
  sessionId: 0n,
  lun: NO_LUN,
  connectionId: 0,
  hostNumber: 0,
  deviceType: 0,
  accountDirection: 0,
  pack: 0,
  force: 0,
  text: undefined,
};

/** What tgtadm 1.0.85 sent for the command line, in hexadecimal, and what it says. */
const RECORDED: readonly (readonly [command: string, hex: string, request: TgtRequest])[] = [
  [
    "--lld iscsi --op new --mode target --tid 1 -T iqn.2026-01.com.example:disk1",
    "010000000000000069736373690000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000a1000000010000000000000000000000ffffffffffffffff0000000000000000000000000000000000000000000000007461726765746e616d653d69716e2e323032362d30312e636f6d2e6578616d706c653a6469736b3100",
    {
      ...NONE,
      mode: 1,
      driver: "iscsi",
      targetId: 1,
      text: "targetname=iqn.2026-01.com.example:disk1",
    },
  ],
  [
    "--lld iscsi --op delete --mode target --tid 1 --force",
    "01000000010000006973637369000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000078000000010000000000000000000000ffffffffffffffff000000000000000000000000000000000000000001000000",
    { ...NONE, mode: 1, operation: 1, driver: "iscsi", targetId: 1, force: 1 },
  ],
  [
    '--lld iscsi --op new --mode lu --tid 1 --lun 1 -b /srv/a -E aio -S "x y" -f sync:direct -y 4096 -Y cd',
    "020000000000000069736373690000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000be0000000100000000000000000000000100000000000000000000000000000005000000000000000000000000000000706174683d2f7372762f612c6273747970653d61696f2c62736f7074733d7820792c62736f666c6167733d73796e633a6469726563742c626c6f636b73697a653d3430393600",
    {
      ...NONE,
      mode: 2,
      driver: "iscsi",
      targetId: 1,
      lun: 1n,
      deviceType: 5,
      text: "path=/srv/a,bstype=aio,bsopts=x y,bsoflags=sync:direct,blocksize=4096",
    },
  ],
  [
    "--op delete --mode conn --tid 1 --sid 77 --cid 3",
    "06000000010000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000078000000010000004d00000000000000ffffffffffffffff030000000000000000000000000000000000000000000000",
    { ...NONE, mode: 6, operation: 1, targetId: 1, sessionId: 77n, connectionId: 3 },
  ],
  [
    "--op bind --mode account --user alice --outgoing",
    "07000000030000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000083000000ffffffff0000000000000000ffffffffffffffff000000000000000000000000010000000000000000000000757365723d616c69636500",
    { ...NONE, mode: 7, operation: 3, accountDirection: 1, text: "user=alice" },
  ],
  [
    "--lld with more than 64 letters --op show --mode target",
    "01000000020000006161616161616161616161616161616161616161616161616161616161616161616161616161616161616161616161616161616161616161616161616161616178000000ffffffff0000000000000000ffffffffffffffff000000000000000000000000000000000000000000000000",
    { ...NONE, mode: 1, operation: 2, driver: "a".repeat(64) },
  ],
];

describe("a request of tgtadm", () => {
  it.each(RECORDED)("%s", (_, hex, request) => {
    expect(decodeRequest(Buffer.from(hex, "hex"))).toEqual(request);
    expect(Buffer.from(encodeRequest(request)).toString("hex")).toBe(hex);
  });

  it("knows an empty text from none", () => {
    expect(decodeRequest(encodeRequest({ ...NONE, text: "" }))).toEqual({ ...NONE, text: "" });
  });

  it("has its text to the NUL, or to its end", () => {
    const bytes = encodeRequest({ ...NONE, text: "a=b" });
    bytes[123] = 0x63;
    expect(decodeRequest(bytes)).toMatchObject({ text: "a=bc" });
    bytes[121] = 0;
    expect(decodeRequest(bytes)).toMatchObject({ text: "a" });
  });
});

describe("what is no request", () => {
  const withLength = (length: number): Buffer => {
    const bytes = Buffer.from(encodeRequest(NONE));
    bytes.writeUInt32LE(length, 72);
    return bytes;
  };

  it("has less than its length says", () => {
    expect(decodeRequest(withLength(120).subarray(0, 119))).toBe("incomplete");
    expect(decodeRequest(withLength(121))).toBe("incomplete");
    expect(decodeRequest(new Uint8Array())).toBe("incomplete");
  });

  it("has a length that tgtd refuses", () => {
    for (const length of [0, 1, 119]) {
      expect(decodeRequest(withLength(length))).toBe("length-too-small");
    }
    expect(requestBytes(withLength(120 + 8192))).toBe(120 + 8192);
    for (const length of [121 + 8192, 0xffff_ffff]) {
      expect(decodeRequest(withLength(length))).toBe("text-too-long");
    }
  });

  it("cannot be made", () => {
    expect(() => encodeRequest({ ...NONE, text: "x".repeat(8192) })).toThrow(RangeError);
    expect(() => encodeRequest({ ...NONE, driver: "x".repeat(65) })).toThrow(RangeError);
  });
});

it("comes back as it was, from any bytes", () => {
  const seed = chooseSeed(process.env);
  const random = new SeededRandom(seed);
  for (let round = 0; round < 2000; round += 1) {
    const bytes = random.bytes(120 + random.below(64));
    bytes.writeUInt32LE(bytes.length, 72);
    const request = decodeRequest(bytes);
    if (typeof request === "string") throw new Error(`${request}, seed ${seed}`);
    expect(decodeRequest(encodeRequest(request)), `seed ${seed}`).toEqual(request);
    const noise = random.bytes(random.below(300));
    const length = requestBytes(noise);
    if (typeof length === "number") expect(length, `seed ${seed}`).toBeLessThanOrEqual(120 + 8192);
  }
});
