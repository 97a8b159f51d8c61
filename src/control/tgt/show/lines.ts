import { makeVisible } from "../../../util/visible-text.ts";

const INDENT = "    ";

/** One line of tgt's texts: four blanks for each step, and a line feed. */
export function line(steps: number, text: string): string {
  return `${INDENT.repeat(steps)}${text}\n`;
}

/** tgt's words for a flag. */
export function yesOrNo(flag: boolean): string {
  return flag ? "Yes" : "No";
}

/**
 * A text that somebody else chose, such as an initiator's alias, for a place within a line. tgt prints it as it is, so that a line feed in
 * it forges a target; here it is shown as \u000a. Ordinary texts come out as they are.
 */
export function foreignText(text: string): string {
  return makeVisible(text).replaceAll("\n", "\\u000a").replaceAll("\t", "\\u0009");
}
