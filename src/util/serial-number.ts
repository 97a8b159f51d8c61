/**
 * Serial number arithmetic, RFC 1982, for 32-bit numbers (CmdSN, StatSN, DataSN: RFC 7143 4.2.2.1).
 * Two numbers exactly 2^31 apart are not ordered: both comparisons are false then.
 */

const HALF = 0x8000_0000;

/** `value + step` modulo 2^32; `step` may be negative, down to -2^31. */
export function serialAdd(value: number, step: number): number {
  return (value + step) >>> 0;
}

/** How far `to` lies after `from`, as a signed 32-bit number. */
export function serialDistance(from: number, to: number): number {
  return (to - from) | 0;
}

export function serialLess(left: number, right: number): boolean {
  const distance = (right - left) >>> 0;
  return distance !== 0 && distance < HALF;
}

export function serialLessOrEqual(left: number, right: number): boolean {
  return left === right || serialLess(left, right);
}
