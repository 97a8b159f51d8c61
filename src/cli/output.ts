import { makeVisible } from "../util/visible-text.ts";

// Names and labels come from disks and the network: what a terminal obeys or hides is escaped on the way out.

/** Prints what a command found, for machines or for people. */
export function print(value: unknown, isJson: boolean, text: () => string): void {
  printText(isJson ? `${JSON.stringify(value, undefined, 2)}\n` : text());
}

/** Prints a part of what a command found; its lines end in line feeds. */
export function printText(text: string): void {
  process.stdout.write(makeVisible(text));
}

/** What a command did, for people; whoever reads JSON sees it there. */
export function say(message: string): void {
  process.stderr.write(`${makeVisible(message)}\n`);
}
