import type { CommandModule } from "yargs";
import { printText } from "./output.ts";

const SHELLS = ["bash", "zsh", "fish"] as const;
type Shell = (typeof SHELLS)[number];

/*
 * Each script asks the program itself what may come next, so that they need not be made anew when it changes. The program tells
 * what things are, behind a colon, to whoever has zsh as shell.
 */
const SCRIPTS: Readonly<Record<Shell, string>> = {
  bash: `_thinlun() {
  local IFS=$'\\n' words
  words="$(SHELL=/bin/bash thinlun --get-yargs-completions "\${COMP_WORDS[@]}" 2>/dev/null)"
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o bashdefault -o default -F _thinlun thinlun
`,
  zsh: `#compdef thinlun
_thinlun() {
  local -a words_there
  words_there=("\${(@f)$(SHELL=/bin/zsh thinlun --get-yargs-completions "\${words[@]}" 2>/dev/null)}")
  if [[ -n "\${words_there[1]}" ]]; then
    _describe 'thinlun' words_there
  else
    _default
  fi
}
compdef _thinlun thinlun
`,
  fish: `function __thinlun_words
    set -lx SHELL /bin/zsh
    set -l words (commandline -opc) (commandline -ct)
    thinlun --get-yargs-completions $words 2>/dev/null | string replace ':' \\t
end
complete -c thinlun -a '(__thinlun_words)'
`,
};

/** A script that a shell reads. */
export function completionScript(shell: Shell): string {
  return SCRIPTS[shell];
}

interface CompletionArguments {
  readonly shell: Shell;
}

/** `thinlun completion`. */
export const completionCommand: CommandModule<object, CompletionArguments> = {
  command: "completion <shell>",
  describe: "Print a script that completes commands and options in a shell",
  builder: (yargs) =>
    yargs
      .positional("shell", { choices: SHELLS, demandOption: true, describe: "The shell" })
      .example("source <($0 completion bash)", "In ~/.bashrc")
      .example("$0 completion zsh > ~/.zfunc/_thinlun", "A folder of fpath")
      .example("$0 completion fish > ~/.config/fish/completions/thinlun.fish", ""),
  handler: ({ shell }) => printText(completionScript(shell)),
};
