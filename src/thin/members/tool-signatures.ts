import { runChild } from "../../../native-free/child-process.ts";
import type { BlockDevice } from "../../device/block-device.ts";
import { DATA_TYPE, findingName, OWN_TYPE, type Finding } from "./finding.ts";
import { findSignatures } from "./find-signatures.ts";

/** What util-linux sees, where it is installed: it is newer, or knows more, on some machines. */

export interface ToolOptions {
  /** Replaces the search path; tests hide the tools by it. */
  readonly toolPath?: string;
}

interface WipefsRow {
  readonly type: string;
  readonly offset: string;
  readonly uuid: string | null;
  readonly label: string | null;
}

function isText(value: unknown): value is string | null | undefined {
  return value === null || value === undefined || typeof value === "string";
}

function isWipefsRow(row: unknown): row is WipefsRow {
  if (typeof row !== "object" || row === null) return false;
  const { type, offset, uuid, label } = row as Record<string, unknown>;
  return typeof type === "string" && typeof offset === "string" && isText(uuid) && isText(label);
}

/** Reads the answer of `wipefs --json`; anything else gives nothing. */
export function parseWipefs(text: string): Finding[] {
  let rows: unknown;
  try {
    rows = (JSON.parse(text) as { signatures?: unknown } | null)?.signatures;
  } catch {
    return [];
  }
  if (!Array.isArray(rows)) return [];
  return rows.filter(isWipefsRow).map(({ type, offset, uuid, label }) => ({
    type,
    offsetBytes: Number.isSafeInteger(Number(offset)) ? Number(offset) : -1,
    uuid: uuid ?? null,
    label: label ?? null,
  }));
}

/** blkid's exit status when several signatures contradict each other. */
const BLKID_AMBIVALENT = 8;

/** Reads the answer of `blkid -p -o export`: NAME=value lines, blanks and others behind a backslash. */
export function parseBlkid(text: string): Finding[] {
  const values = new Map<string, string>();
  for (const line of text.split("\n")) {
    const equals = line.indexOf("=");
    if (equals > 0) {
      values.set(line.slice(0, equals), line.slice(equals + 1).replace(/\\(.)/g, "$1"));
    }
  }
  const findings: Finding[] = [];
  const note = (type: string | undefined, uuid: string | undefined, label?: string): void => {
    if (type === undefined || type === "") return;
    findings.push({ type, offsetBytes: -1, uuid: uuid ?? null, label: label ?? null });
  };
  note(values.get("TYPE"), values.get("UUID"), values.get("LABEL"));
  note(values.get("PTTYPE"), values.get("PTUUID"));
  return findings;
}

async function askTools(path: string, options: ToolOptions): Promise<Finding[]> {
  const runOptions = options.toolPath === undefined ? {} : { path: options.toolPath };
  const [wipefs, blkid] = await Promise.all([
    runChild("wipefs", ["--json", "--no-act", "--", path], runOptions),
    runChild("blkid", ["-p", "-o", "export", "--", path], runOptions),
  ]);
  const findings = wipefs.exitCode === 0 ? parseWipefs(wipefs.stdout) : [];
  if (blkid.exitCode === 0) findings.push(...parseBlkid(blkid.stdout));
  if (blkid.exitCode === BLKID_AMBIVALENT && findings.length === 0) {
    findings.push({ type: "ambivalent", offsetBytes: -1, uuid: null, label: null });
  }
  return findings;
}

/**
 * Adds what only the tools have seen. Of one signature ours is kept, so that its name does not depend on what is installed:
 * the same place, the same name, or, where blkid tells no place, the same type.
 */
export function mergeFindings(ours: readonly Finding[], theirs: readonly Finding[]): Finding[] {
  const merged = [...ours];
  const isKnown = (finding: Finding): boolean =>
    merged.some(
      (known) =>
        findingName(known) === findingName(finding) ||
        (finding.offsetBytes >= 0
          ? known.offsetBytes === finding.offsetBytes
          : known.type === finding.type),
    );
  for (const finding of theirs) {
    if (!isKnown(finding)) merged.push(finding);
  }
  // What the tools explain is unknown no more.
  return merged.length > 1 ? merged.filter(({ type }) => type !== DATA_TYPE) : merged;
}

/** {@link findSignatures}, and what the tools of this machine add to it. A pool of ours needs nobody else's opinion. */
export async function findAllSignatures(
  device: BlockDevice,
  path: string,
  options: ToolOptions = {},
): Promise<Finding[]> {
  const ours = await findSignatures(device);
  if (ours.some(({ type }) => type === OWN_TYPE)) return ours;
  return mergeFindings(ours, await askTools(path, options));
}
