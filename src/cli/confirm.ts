import { createInterface } from "node:readline/promises";
import { OperationError } from "../control/protocol.ts";
import { UsageError } from "./exit-code.ts";

export const YES_OPTION = {
  yes: { alias: "y", type: "boolean", default: false, describe: "Do not ask" },
} as const;

export interface Asking {
  readonly isTerminal: boolean;
  ask(question: string): Promise<string>;
}

const terminal: Asking = {
  isTerminal: process.stdin.isTTY && process.stderr.isTTY,
  ask: async (question) => {
    const lines = createInterface({ input: process.stdin, output: process.stderr });
    try {
      return await lines.question(question);
    } finally {
      lines.close();
    }
  },
};

/**
 * Has the consent to a loss typed out, word for word. Without a terminal, it must have been given as an option.
 *
 * @throws {UsageError} nobody can be asked; {OperationError} invalid: something else was typed
 */
export async function confirm(
  what: string,
  word: string,
  isGiven: boolean,
  asking: Asking = terminal,
): Promise<void> {
  if (isGiven) return;
  if (!asking.isTerminal) throw new UsageError(`${what}; give --yes if that is what you want`);
  const typed = await asking.ask(`${what}.\nType ${word} to go on: `);
  if (typed.trim() === word) return;
  throw new OperationError("busy", "not confirmed; nothing was changed");
}
