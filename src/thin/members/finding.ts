/** Something on a device that belongs to somebody: what it is, where its signature lies, and how its owner calls it. */
export interface Finding {
  /** By the names of libblkid where it has one ("ext4", "LVM2_member"); "thinlun" for ours, "data" for bytes of unknown meaning. */
  readonly type: string;
  /** Where the signature lies, in bytes; -1 where only a tool has seen it and does not say. */
  readonly offsetBytes: number;
  /** In the notation of its own tools; null where there is none. */
  readonly uuid: string | null;
  readonly label: string | null;
}

/** The type of bytes that nothing known explains. They need a consent of their own. */
export const DATA_TYPE = "data";

/** The type of a pool of this program. */
export const OWN_TYPE = "thinlun";

/** What an administrator types to consent to the end of it: "ext4:0fc6...", or "dos:-" where there is no identity. */
export function findingName(finding: Finding): string {
  return `${finding.type}:${finding.uuid ?? "-"}`;
}

/** For messages: the name, the label and the place. */
export function describeFinding(finding: Finding): string {
  const label = finding.label === null ? "" : ` "${finding.label}"`;
  const place = finding.offsetBytes < 0 ? "" : ` at byte ${finding.offsetBytes}`;
  return `${findingName(finding)}${label}${place}`;
}
