/** Prints what a command found, for machines or for people. */
export function print(value: unknown, isJson: boolean, text: () => string): void {
  process.stdout.write(isJson ? `${JSON.stringify(value, undefined, 2)}\n` : text());
}

/** What a command did, for people; whoever reads JSON sees it there. */
export function say(message: string): void {
  process.stderr.write(`${message}\n`);
}
