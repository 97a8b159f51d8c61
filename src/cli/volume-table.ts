import type { VolumeReport } from "../control/protocol.ts";
import { formatSize } from "../util/units.ts";
import { formatTable } from "./table.ts";

/** Volumes and snapshots, a line each. */
export function volumeTable(volumes: readonly VolumeReport[]): string {
  if (volumes.length === 0) return "There are none.\n";
  return formatTable(
    [
      { heading: "NAME" },
      { heading: "SIZE", isNumber: true },
      { heading: "MAPPED", isNumber: true },
      { heading: "KIND" },
      { heading: "ACCESS" },
      { heading: "OF" },
      { heading: "MADE" },
    ],
    volumes.map((volume) => [
      `${volume.pool}/${volume.name}`,
      formatSize(volume.sizeBytes),
      formatSize(volume.mappedBytes),
      volume.isSnapshot ? "snapshot" : "volume",
      `${volume.readOnly ? "read-only" : "writable"}${volume.isServed ? ", served" : ""}`,
      volume.origin ?? "",
      volume.createdAt.slice(0, 16).replace("T", " "),
    ]),
  );
}

/** Everything of one volume. */
export function volumeText(volume: VolumeReport): string {
  const { quotaBytes, reservedBytes, origin } = volume;
  const rows: (readonly [string, string])[] = [
    ["uuid", volume.uuid],
    ["size", formatSize(volume.sizeBytes)],
    [
      "mapped",
      `${formatSize(volume.mappedBytes)}, ${formatSize(volume.ownedBytes)} since it was copied`,
    ],
    ["reserved", formatSize(reservedBytes)],
    ["quota", quotaBytes === 0 ? "none" : formatSize(quotaBytes)],
    ["access", volume.readOnly ? "read-only" : "writable"],
    ["made", volume.createdAt],
    ["served", volume.isServed ? "yes" : "no"],
  ];
  if (origin !== null) rows.push([volume.isSnapshot ? "snapshot" : "copy", `of ${origin}`]);
  const facts = rows.map(([key, value]) => `  ${key.padEnd(9)} ${value}\n`).join("");
  return `${volume.isSnapshot ? "snapshot" : "volume"} ${volume.pool}/${volume.name}\n${facts}`;
}
