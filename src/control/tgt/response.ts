import { checkLayout, type Field } from "../../thin/format/layout.ts";
import { getUint32LE, setUint32LE } from "../../util/little-endian.ts";

/** An answer of tgt's management protocol: struct tgtadm_rsp, then text of `length - 8` bytes. Offsets in bytes. */
const FIELDS = {
  error: [0, 4],
  length: [4, 4],
} as const satisfies Readonly<Record<string, Field>>;

export const RESPONSE_HEADER_BYTES = 8;
checkLayout("tgtadm_rsp", FIELDS, RESPONSE_HEADER_BYTES);

/** Thousands of logical units fit; what claims more is no answer of a daemon of this kind. */
export const RESPONSE_TEXT_BYTES_MAX: number = 64 * 1024 * 1024;

export interface TgtResponse {
  /** See errors.ts; 0 is success. */
  readonly error: number;
  /** What tgtadm prints, up to the first NUL, in UTF-8; tgtadm prints it only after success. */
  readonly text: string;
}

/** Why bytes are no answer. */
export type ResponseFault = "incomplete" | "length-too-small" | "text-too-long";

/**
 * How many bytes an answer has, header included.
 * @param header at least the first {@link RESPONSE_HEADER_BYTES} bytes; fewer are `incomplete`
 */
export function responseBytes(header: Uint8Array): number | ResponseFault {
  if (header.length < RESPONSE_HEADER_BYTES) return "incomplete";
  const length = getUint32LE(header, FIELDS.length[0]);
  if (length < RESPONSE_HEADER_BYTES) return "length-too-small";
  if (length > RESPONSE_HEADER_BYTES + RESPONSE_TEXT_BYTES_MAX) return "text-too-long";
  return length;
}

/** Reads one answer from the beginning of `bytes`. What follows it is not looked at. */
export function decodeResponse(bytes: Uint8Array): TgtResponse | ResponseFault {
  const length = responseBytes(bytes);
  if (typeof length === "string") return length;
  if (bytes.length < length) return "incomplete";
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, length).subarray(RESPONSE_HEADER_BYTES);
  const end = text.indexOf(0);
  return {
    error: getUint32LE(bytes, FIELDS.error[0]),
    text: text.toString("utf8", 0, end === -1 ? text.length : end),
  };
}

/**
 * The bytes of an answer. Text ends with a NUL, as tgtd's does; no text is no bytes.
 * @throws RangeError where the text is longer than an answer may be
 */
export function encodeResponse({ error, text }: TgtResponse): Uint8Array {
  const payload = Buffer.from(text === "" ? "" : `${text}\0`, "utf8");
  if (payload.length > RESPONSE_TEXT_BYTES_MAX) throw new RangeError("the text has no room");
  const bytes = new Uint8Array(RESPONSE_HEADER_BYTES + payload.length);
  setUint32LE(bytes, FIELDS.error[0], error);
  setUint32LE(bytes, FIELDS.length[0], bytes.length);
  bytes.set(payload, RESPONSE_HEADER_BYTES);
  return bytes;
}
