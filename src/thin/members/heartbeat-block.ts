import { crc32c } from "../../../native-free/crc32c.ts";
import { getUint32LE, getUint64LE, setUint32LE, setUint64LE } from "../../util/little-endian.ts";
import { FormatFault } from "../format/fault.ts";
import { BLOCK_BYTES } from "../format/geometry.ts";
import { getUuid, isZero, setUuid } from "../format/identity.ts";
import { checkLayout } from "../format/layout.ts";

/** A sign of life of the host that has a pool open; at HEARTBEAT_OFFSET of the pool's first device. */
export interface Heartbeat {
  readonly poolUuid: string;
  readonly hostId: string;
  /** Of this opening of the pool; see `OwnerRecord`. */
  readonly nonce: string;
  /** One more with each beat; 0 is the first. */
  readonly counter: number;
}

const HeartbeatField = {
  magic: [0, 16],
  poolUuid: [16, 16],
  hostId: [32, 16],
  nonce: [48, 16],
  counter: [64, 8],
  reserved: [72, 4020],
  crc: [4092, 4],
} as const;
checkLayout("heartbeat", HeartbeatField, BLOCK_BYTES);

const MAGIC = Buffer.from("thinlunbeat\r\n\x1a\n\0", "latin1");

export function encodeHeartbeat(heartbeat: Heartbeat): Uint8Array {
  const bytes = new Uint8Array(BLOCK_BYTES);
  const field = HeartbeatField;
  bytes.set(MAGIC, field.magic[0]);
  setUuid(bytes, field.poolUuid[0], heartbeat.poolUuid);
  setUuid(bytes, field.hostId[0], heartbeat.hostId);
  setUuid(bytes, field.nonce[0], heartbeat.nonce);
  setUint64LE(bytes, field.counter[0], heartbeat.counter);
  setUint32LE(bytes, field.crc[0], crc32c(bytes, 0, field.crc[0]));
  return bytes;
}

/** Any bytes are fine: a fault says what is wrong with them. */
export function decodeHeartbeat(bytes: Uint8Array): Heartbeat | FormatFault {
  const field = HeartbeatField;
  if (bytes.length !== BLOCK_BYTES || !MAGIC.equals(bytes.subarray(0, MAGIC.length))) {
    return new FormatFault("absent", "no heartbeat lies here");
  }
  if (crc32c(bytes, 0, field.crc[0]) !== getUint32LE(bytes, field.crc[0])) {
    return new FormatFault("damaged", "the heartbeat's checksum is wrong");
  }
  const counter = getUint64LE(bytes, field.counter[0]);
  if (!Number.isSafeInteger(counter) || !isZero(bytes, field.reserved[0], field.crc[0])) {
    return new FormatFault("damaged", "the heartbeat has values that cannot be");
  }
  return {
    poolUuid: getUuid(bytes, field.poolUuid[0]),
    hostId: getUuid(bytes, field.hostId[0]),
    nonce: getUuid(bytes, field.nonce[0]),
    counter,
  };
}
