import type { TargetConfig } from "../config/config.ts";
import { parseIscsiName } from "../../iscsi/login/iscsi-name.ts";

/*
 * Names of iSCSI are the same in upper and lower case (RFC 7143 4.2.7.2), and here they are all in their normal form. tgt keeps the
 * spelling, and its script looks for a target in the list by the spelling of targets.conf: so that is kept beside the target's settings.
 */

const SPELLING_KEY = "targetname ";

/** Settings of a target to be that was asked for with this spelling. */
export function spelling(text: string, name: string): ReadonlyMap<string, string> {
  return new Map(text === name ? [] : [[SPELLING_KEY, text]]);
}

/** A target's name as whoever made it spelled it. */
export function spelledName({ name, tgt }: Pick<TargetConfig, "name" | "tgt">): string {
  return tgt?.settings.get(SPELLING_KEY) ?? name;
}

/** The name that a spelling means; what is none stays as it is. */
export function meantName(text: string): string {
  const parsed = parseIscsiName(text);
  return parsed.ok ? parsed.name : text;
}
