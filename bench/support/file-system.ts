import { statfsSync } from "node:fs";

/** By the magic number that statfs tells. */
const NAMES: Readonly<Record<number, string>> = {
  0xef53: "ext4",
  0x0102_1994: "tmpfs",
  0x5846_5342: "XFS",
  0x9123_683e: "btrfs",
};

/** What kind of file system a path lies on: how long a flush takes depends on it. */
export function fileSystemOf(path: string): string {
  const { type } = statfsSync(path);
  return NAMES[type] ?? `file system 0x${type.toString(16)}`;
}
