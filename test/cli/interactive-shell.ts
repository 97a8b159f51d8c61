import { once } from "node:events";
import { join } from "node:path";
import { writeFileSync } from "node:fs";
import { spawnMortal } from "../support/mortal-child.ts";

/**
 * Types keys at the prompt of an interactive shell on a terminal of its own, and prints what that shows, until the shell prints
 * the line between << and >>. Typed at once, and read in order: a completion takes as long as it takes.
 */
const TYPIST = `
zmodload zsh/zpty
keys=$1; shift
zpty shell "stty rows 200 columns 200; \${(j: :)\${(q)@}}"
zpty -r -m shell shown '*@ready@*'
zpty -w -n shell "$keys"
zpty -r -m shell shown '*<<*>>*'
print -r -- "$shown"
zpty -d shell
`;

/** Key by which the shells below print their line. */
const SHOW_LINE = "\u0018";

const PROMPT = "PS1='@re''ady@'";

/** How the shells that are typed at start: a file that they read, and the command. */
const INTERACTIVE = {
  bash: {
    file: "bashrc",
    start: `${PROMPT}
bind 'set bell-style none' && bind 'set show-all-if-ambiguous on' && bind 'set page-completions off'
bind 'set completion-query-items 0' && bind 'set enable-bracketed-paste off'
show() { printf '<<%s>>\\n' "$READLINE_LINE"; }
bind -x '"\\C-x": show'
`,
    command: (file: string): string[] => ["bash", "--noprofile", "--rcfile", file, "-i"],
  },
  // What is pasted is not completed by zsh, unless it is told to.
  zsh: {
    file: ".zshrc",
    start: `${PROMPT}
unsetopt beep zle_bracketed_paste
zstyle ':completion:*' insert-tab false
fpath=("$ZDOTDIR" $fpath)
autoload -Uz compinit && compinit -u -D
show() { print -r -- "<<$BUFFER>>" }
zle -N show && bindkey '^X' show
`,
    command: (): string[] => ["zsh", "-i"],
  },
} as const;

/** What a shell shows, and the line that it has in the end. */
export interface Shown {
  readonly screen: string;
  readonly line: string;
}

/**
 * Types `keys` at an interactive shell and returns what it shows. It takes zsh for the terminal.
 * @param folder where programs are found first, and where files of the shell may lie
 * @param more what the shell reads besides
 */
export async function type(
  shell: keyof typeof INTERACTIVE,
  keys: string,
  folder: string,
  more = "",
): Promise<Shown> {
  const { file, start, command } = INTERACTIVE[shell];
  const path = join(folder, file);
  writeFileSync(path, start + more);
  const environment = {
    ...process.env,
    PATH: `${folder}:${process.env["PATH"] ?? ""}`,
    HOME: folder,
    ZDOTDIR: folder,
    TERM: "dumb",
  };
  const words = ["-f", "-c", TYPIST, "typist", keys + SHOW_LINE, ...command(path)];
  const child = spawnMortal("zsh", words, environment);
  let screen = "";
  child.stdout?.on("data", (chunk: Buffer) => (screen += chunk.toString()));
  await once(child, "close");
  return { screen, line: /<<(.*)>>/.exec(screen)?.[1] ?? "" };
}
