import type { CommandModule } from "yargs";
import { printText } from "./output.ts";

const SHELLS = ["bash", "zsh", "fish"] as const;
type Shell = (typeof SHELLS)[number];

/*
 * Each script asks the program itself what may come next, so that they need not be made anew when it changes: it tells bash the
 * words, zsh what they are behind a colon, fish behind a tab. Options are offered behind a dash, files where there is nothing else,
 * and a value behind `--option=` as behind `--option`.
 */
const SCRIPTS: Readonly<Record<Shell, string>> = {
  // Bash takes `=` for a word.
  bash: `_thinlun() {
  local current="\${COMP_WORDS[COMP_CWORD]}" word
  local -a before=()
  for word in "\${COMP_WORDS[@]:0:COMP_CWORD}"; do
    [[ $word == = ]] || before+=("$word")
  done
  [[ $current == = ]] && current=
  COMPREPLY=()
  while IFS= read -r word; do
    [[ $word == "$current"* && ($word != -* || $current == -*) ]] && COMPREPLY+=("$word")
  done < <(SHELL=/bin/bash thinlun --get-yargs-completions "\${before[@]}" "$current" 2>/dev/null)
}
complete -o bashdefault -o default -F _thinlun thinlun
`,
  // In a folder of fpath the file is the function that is called first; read by `source` it only says what there is.
  zsh: `#compdef thinlun
_thinlun() {
  local -a before offered
  before=("\${(@Q)words[1,CURRENT-1]}")
  if [[ $PREFIX == --*=* ]]; then
    before+=("\${PREFIX%%=*}")
    compset -P '*='
  fi
  offered=(\${(f)"$(SHELL=/bin/zsh thinlun --get-yargs-completions "\${before[@]}" "\${(Q)PREFIX}" 2>/dev/null)"})
  if [[ $PREFIX == -* ]]; then
    offered=(\${(M)offered:#-*})
    _describe -o 'option' offered
  else
    offered=(\${offered:#-*})
    if (( $#offered )); then
      _describe 'thinlun' offered
    else
      _files
    fi
  fi
}
if [[ $funcstack[1] == _thinlun ]]; then
  _thinlun "$@"
else
  compdef _thinlun thinlun
fi
`,
  fish: `function __thinlun_words
    set -l before (commandline -opc)
    set -l current (commandline -ct)
    set -l option ''
    if string match -q -- '--*=*' "$current"
        set -l parts (string split -m 1 = -- $current)
        set before $before $parts[1]
        set option "$parts[1]="
        set current $parts[2]
    end
    set -l words (SHELL=/bin/fish thinlun --get-yargs-completions $before "$current" 2>/dev/null)
    if not string match -q -- '-*' "$current"
        set words (string match -v -- '-*' $words)
    end
    if not set -q words[1]
        set words (__fish_complete_path "$current")
    end
    printf '%s\\n' $option$words
end
complete -c thinlun -f -a '(__thinlun_words)'
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
