import { emitKeypressEvents, type Key } from "node:readline";
import { readBoundedText } from "./bounded-file.ts";
import { UsageError } from "./exit-code.ts";

/** From where a secret comes. */
export interface SecretOptions {
  readonly "password-file": string | undefined;
  readonly password: string | undefined;
}

export const SECRET_OPTIONS = {
  "password-file": {
    type: "string",
    requiresArg: true,
    describe: "File with the secret (a line feed at its end is ignored); - for standard input",
  },
  password: {
    type: "string",
    requiresArg: true,
    describe: "The secret itself: everybody on this host can read it while the command runs",
  },
} as const;

/** Where a secret can be asked for. */
export interface SecretTerminal {
  readonly isTerminal: boolean;
  ask(question: string): Promise<string>;
}

/** Secrets are much shorter, and a file that was meant is not the image of a disk. */
export const SECRET_FILE_BYTES_MAX = 4096;

const terminal: SecretTerminal = {
  isTerminal: process.stdin.isTTY && process.stderr.isTTY,
  ask: askHidden,
};

/**
 * A secret: from a file, as it was insisted on, or asked for, twice, without showing it.
 *
 * @throws {UsageError} there is none, nobody can be asked, or what was typed differs
 */
export async function readSecret(
  user: string,
  options: SecretOptions,
  asking: SecretTerminal = terminal,
): Promise<string> {
  const { "password-file": file, password } = options;
  if (file !== undefined && password !== undefined) {
    throw new UsageError("a secret comes from --password-file or from --password, not from both");
  }
  const given = file === undefined ? password : readSecretFile(file);
  if (given === "") throw new UsageError(`the secret of ${user} is empty`);
  if (given !== undefined) return given;
  if (!asking.isTerminal) throw new UsageError(`give the secret of ${user} in --password-file`);
  const typed = await asking.ask(`Secret of ${user}: `);
  if (typed === "") throw new UsageError(`the secret of ${user} is empty`);
  if ((await asking.ask("Once more: ")) === typed) return typed;
  throw new UsageError("the two are not the same; nothing was changed");
}

function readSecretFile(file: string): string {
  try {
    return readBoundedText(file, SECRET_FILE_BYTES_MAX).replace(/\r?\n$/, "");
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new UsageError(`the secret cannot be read: ${reason}`, { cause: error });
  }
}

/** Takes one key; null: the line is not at its end. */
export function typedKey(line: string, text: string | undefined, key: Key): string | null {
  if (key.ctrl === true && (key.name === "c" || key.name === "d")) {
    throw new UsageError("nothing was changed");
  }
  if (key.name === "return" || key.name === "enter") return null;
  if (key.name === "backspace") return line.replace(/.$/su, "");
  const isPlain = text !== undefined && key.ctrl !== true && key.meta !== true;
  return isPlain && !/\p{Cc}/u.test(text) ? line + text : line;
}

function askHidden(question: string): Promise<string> {
  const { stdin, stderr } = process;
  stderr.write(question);
  emitKeypressEvents(stdin);
  stdin.setRawMode(true);
  stdin.resume();
  let line = "";
  return new Promise((resolve, reject) => {
    const end = (): void => {
      stdin.off("keypress", onKey);
      stdin.setRawMode(false);
      stdin.pause();
      stderr.write("\n");
    };
    const onKey = (text: string | undefined, key: Key): void => {
      try {
        const next = typedKey(line, text, key);
        if (next !== null) {
          line = next;
          return;
        }
        end();
        resolve(line);
      } catch (error) {
        end();
        reject(error instanceof Error ? error : new Error(String(error)));
      }
    };
    stdin.on("keypress", onKey);
  });
}
