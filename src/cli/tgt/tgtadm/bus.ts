import { readdirSync } from "node:fs";
import { bytesOf } from "../byte-words.ts";
import { leadingUnsigned } from "../c-number.ts";

/** -EINVAL and -ENOENT as the unsigned numbers that tgtadm sends for them. */
const NO_COMMA = 0xffff_ffea;
const NO_ENTRIES = 0xffff_fffe;

const SYSFS = "/sys/bus";
const HOST = "host";

/** The part of `BUS,DEVICE` that is named where there is no host. */
export function busName(word: string): string {
  return word.split(",", 1)[0] ?? "";
}

/**
 * The number of the SCSI host of a device, for drivers of hosts that tgt once had; undefined where there is none.
 * @param word `BUS,DEVICE`, as the folders below /sys/bus are called
 */
export function hostOfBus(word: string): number | undefined {
  const comma = word.indexOf(",");
  if (comma === -1) return NO_COMMA;
  const path = `${SYSFS}/${word.slice(0, comma)}/devices/${word.slice(comma + 1)}`;
  const names = entriesOf(path);
  if (names === undefined) return undefined;
  if (names.length === 0) return NO_ENTRIES;
  const last = names.filter((name) => name.startsWith(HOST)).at(-1);
  if (last === undefined) return undefined;
  const number = leadingUnsigned(last.slice(HOST.length), 10) ?? 0n;
  return Number(BigInt.asUintN(32, number));
}

function entriesOf(path: string): string[] | undefined {
  try {
    return readdirSync(bytesOf(path), "latin1").toSorted();
  } catch {
    return undefined;
  }
}
