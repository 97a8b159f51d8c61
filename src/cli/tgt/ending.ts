/** How a command ended, and what it prints: strings with one character a byte. */
export interface Ending {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** What a command knows of where it runs. */
export interface Surroundings {
  /** How it was called; getopt begins its complaints with this. */
  readonly calledAs: string;
  readonly variables: Readonly<Record<string, string | undefined>>;
}

/** EINVAL: the exit status for command lines that are wrong. */
export const WRONG_STATUS = 22;

export function success(stdout: string): Ending {
  return { status: 0, stdout, stderr: "" };
}

/** An end with one line of complaint. */
export function failure(line: string, status: number = WRONG_STATUS): Ending {
  return { status, stdout: "", stderr: `${line}\n` };
}

/** An end with a complaint and where to find help. */
export function wrongUse(program: string, line: string): Ending {
  return failure(`${line}\nTry \`${program} --help' for more information.`);
}
