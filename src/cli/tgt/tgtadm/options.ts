import type { OptionSpec } from "../getopt.ts";

/** The options of tgtadm 1.0.85, in the order in which it lists them where an abbreviation is ambiguous. */
export const TGTADM_OPTIONS: readonly OptionSpec[] = [
  { letter: "d", long: "debug", shape: "flag" },
  { letter: "h", long: "help", shape: "flag" },
  { letter: "V", long: "version", shape: "flag" },
  { letter: "L", long: "lld", shape: "value" },
  { letter: "o", long: "op", shape: "value" },
  { letter: "m", long: "mode", shape: "value" },
  { letter: "t", long: "tid", shape: "value" },
  { letter: "s", long: "sid", shape: "value" },
  { letter: "c", long: "cid", shape: "value" },
  { letter: "l", long: "lun", shape: "value" },
  { letter: "n", long: "name", shape: "value" },
  { letter: "v", long: "value", shape: "value" },
  { letter: "b", long: "backing-store", shape: "value" },
  { letter: "E", long: "bstype", shape: "value" },
  { letter: "S", long: "bsopts", shape: "value" },
  { letter: "f", long: "bsoflags", shape: "value" },
  { letter: "y", long: "blocksize", shape: "value" },
  { letter: "T", long: "targetname", shape: "value" },
  { letter: "I", long: "initiator-address", shape: "value" },
  { letter: "Q", long: "initiator-name", shape: "value" },
  { letter: "u", long: "user", shape: "value" },
  { letter: "p", long: "password", shape: "value" },
  { letter: "H", long: "host", shape: "value" },
  { letter: "F", long: "force", shape: "flag", letterShape: "value" },
  { letter: "P", long: "params", shape: "value" },
  { letter: "B", long: "bus", shape: "value" },
  { letter: "Y", long: "device-type", shape: "value" },
  { letter: "O", long: "outgoing", shape: "flag", letterShape: "value" },
  { letter: "C", long: "control-port", shape: "value" },
];

/** Letters of the options whose words go into the request as they are. */
export type TextLetter =
  "n" | "v" | "b" | "E" | "S" | "f" | "y" | "T" | "I" | "Q" | "u" | "p" | "P";

/** What a command line says, checked word by word. */
export interface Settings {
  mode: number | undefined;
  operation: number | undefined;
  driver: string;
  targetId: number;
  sessionId: bigint;
  lun: bigint;
  connectionId: number;
  hostNumber: number;
  deviceType: number;
  isOutgoing: boolean;
  isForced: boolean;
  isDebug: boolean;
  controlPort: number;
  readonly texts: Partial<Record<TextLetter, string>>;
  /** The letters of all options that were given, in their order. */
  readonly letters: string[];
}
