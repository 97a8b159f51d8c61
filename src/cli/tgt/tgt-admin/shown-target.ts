/** A target as `tgtadm --op show --mode target` lists it, as far as tgt-admin needs it. */
export interface ShownTarget {
  readonly tid: string;
  readonly name: string;
  readonly driver: string;
  readonly isOffline: boolean;
  readonly luns: readonly ShownLun[];
  /** Users, in their order. */
  readonly incoming: readonly string[];
  readonly outgoing: string | null;
  /** Rules of access: addresses and names, as they are shown. */
  readonly acl: readonly string[];
  /** By session, the number of its last connection. */
  readonly connections: ReadonlyMap<string, string>;
}

/** A logical unit; texts as they are shown. */
export interface ShownLun {
  readonly lun: number;
  /** disk, tape, controller, ... */
  readonly type: string;
  readonly scsiId: string;
  readonly scsiSn: string;
  /** In bytes. */
  readonly blockBytes: string;
  readonly isOnline: boolean;
  readonly isRemovable: boolean;
  readonly isReadOnly: boolean;
  readonly isThin: boolean;
  readonly storeType: string;
  /** Null: it has none, which is shown as "None". */
  readonly storePath: string | null;
  readonly storeFlags: string;
}

type Draft = { -readonly [Key in keyof ShownTarget]: ShownTarget[Key] };

const TARGET = /^Target (\d*): (.+)$/;
const SECTION = /^ {4}(\S.*):$/;

/** How the account is marked by which a target, or discovery, proves itself. */
export const OUTGOING: RegExp = / \(outgoing\)$/;

/** Reads the list, in its order. Lines that it does not know are passed over. */
export function parseShownTargets(text: string): ShownTarget[] {
  const targets: ShownTarget[] = [];
  let lines: string[] = [];
  let head: RegExpExecArray | null = null;
  const finish = (): void => {
    if (head !== null) targets.push(readTarget(head[1] ?? "", head[2] ?? "", lines));
  };
  for (const line of text.split("\n")) {
    const next = TARGET.exec(line);
    if (next === null) {
      lines.push(line);
      continue;
    }
    finish();
    head = next;
    lines = [];
  }
  finish();
  return targets;
}

/** The lines of each part of a target, by the part's title. */
function sectionsOf(lines: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const sections = new Map<string, string[]>();
  let current: string[] = [];
  for (const line of lines) {
    const title = SECTION.exec(line)?.[1];
    if (title === undefined) {
      if (line !== "") current.push(line);
      continue;
    }
    current = [];
    sections.set(title, current);
  }
  return sections;
}

function readTarget(tid: string, name: string, lines: readonly string[]): ShownTarget {
  const sections = sectionsOf(lines);
  const items = (title: string): string[] =>
    (sections.get(title) ?? []).map((line) => line.trimStart());
  const system = fieldsOf(sections.get("System information") ?? []);
  const target: Draft = {
    tid,
    name,
    driver: system.get("Driver") ?? "iscsi",
    isOffline: system.get("State") === "offline",
    luns: readLuns(sections.get("LUN information") ?? []),
    incoming: items("Account information").filter((user) => !OUTGOING.test(user)),
    outgoing: null,
    acl: items("ACL information"),
    connections: readConnections(sections.get("I_T nexus information") ?? []),
  };
  const outgoing = items("Account information").find((user) => OUTGOING.test(user));
  if (outgoing !== undefined) target.outgoing = outgoing.replace(OUTGOING, "");
  return target;
}

function fieldsOf(lines: readonly string[]): ReadonlyMap<string, string> {
  const fields = lines.map((line) => /^\s+([^:]+): (.*)$/.exec(line));
  return new Map(fields.map((field) => [field?.[1] ?? "", field?.[2] ?? ""]));
}

function readLuns(lines: readonly string[]): ShownLun[] {
  const starts = lines.flatMap((line, index) => (/^ {8}LUN: \d+$/.test(line) ? [index] : []));
  return starts.map((start, index) => readLun(lines.slice(start, starts[index + 1])));
}

function readLun(lines: readonly string[]): ShownLun {
  const fields = fieldsOf(lines);
  const text = (key: string): string => fields.get(key) ?? "";
  const path = text("Backing store path");
  return {
    lun: Number(text("LUN")),
    type: text("Type"),
    scsiId: text("SCSI ID"),
    scsiSn: text("SCSI SN"),
    blockBytes: /Block size: (\d+)/.exec(text("Size"))?.[1] ?? "512",
    isOnline: text("Online") !== "No",
    isRemovable: text("Removable media") === "Yes",
    isReadOnly: text("Readonly") === "Yes",
    isThin: text("Thin-provisioning") === "Yes",
    storeType: text("Backing store type"),
    storePath: path === "None" ? null : path,
    storeFlags: text("Backing store flags").trim(),
  };
}

function readConnections(lines: readonly string[]): ReadonlyMap<string, string> {
  const connections = new Map<string, string>();
  let session = "";
  for (const line of lines) {
    session = /^\s+I_T nexus: (.+)$/.exec(line)?.[1] ?? session;
    const connection = /^\s+Connection: (.+)$/.exec(line)?.[1];
    if (connection !== undefined) connections.set(session, connection);
  }
  return connections;
}
