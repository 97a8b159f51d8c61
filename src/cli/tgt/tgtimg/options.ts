import type { OptionSpec } from "../getopt.ts";

/** The options of tgtimg 1.0.85, in the order in which it lists them where an abbreviation is ambiguous. */
export const TGTIMG_OPTIONS: readonly OptionSpec[] = [
  { letter: "h", long: "help", shape: "flag" },
  { letter: "o", long: "op", shape: "value" },
  { letter: "Y", long: "device-type", shape: "value" },
  { letter: "b", long: "barcode", shape: "value" },
  { letter: "s", long: "size", shape: "value" },
  { letter: "t", long: "type", shape: "value" },
  { letter: "f", long: "file", shape: "value" },
  { letter: "T", long: "thin-provisioning", shape: "flag", letterShape: "none" },
];

/** What an image is of. */
export type ImageDevice = "tape" | "disk" | "cd";

export interface ImageSettings {
  operation: "new" | "show" | undefined;
  device: ImageDevice;
  isThin: boolean;
  barcode: string | undefined;
  size: string | undefined;
  type: string | undefined;
  file: string | undefined;
}
