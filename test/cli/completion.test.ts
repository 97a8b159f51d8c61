import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { completionCommand, completionScript } from "../../src/cli/completion.ts";
import { run as runProgram } from "../support/program.ts";
import { run } from "./support.ts";

const CLI = join(import.meta.dirname, "..", "..", "dist", "src", "cli", "thinlun.cjs");

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "thinlun-completion-"));
});

afterEach(() => rmSync(folder, { recursive: true }));

/** What bash offers behind these words, of which the last one is being typed. */
async function offered(...words: string[]): Promise<string[]> {
  const program = join(folder, "thinlun");
  writeFileSync(program, `#!/bin/sh\nexec ${process.execPath} ${CLI} "$@"\n`);
  chmodSync(program, 0o755);
  const quoted = words.map((word) => `'${word}'`).join(" ");
  writeFileSync(
    join(folder, "try"),
    `PATH="${folder}:$PATH"\n${completionScript("bash")}` +
      `COMP_WORDS=(${quoted})\nCOMP_CWORD=${words.length - 1}\n_thinlun\nprintf '%s\\n' "\${COMPREPLY[@]}"\n`,
  );
  const stdout = await runProgram("bash", join(folder, "try"));
  return stdout.split("\n").filter((line) => line !== "");
}

describe("completion", () => {
  it("is a script for each shell", async () => {
    expect(completionCommand.command).toBe("completion <shell>");
    for (const [shell, words] of [
      ["bash", "complete -o"],
      ["zsh", "#compdef thinlun"],
      ["fish", "complete -c thinlun"],
    ] as const) {
      expect(completionScript(shell)).toContain(words);
    }
    expect(await run("completion", "fish")).toMatchObject({
      status: 0,
      stdout: completionScript("fish"),
    });
    expect((await run("completion", "tcsh")).status).toBe(2);
  });

  it("offers commands and options in bash", async () => {
    expect(await offered("thinlun", "targ")).toEqual(["target"]);
    expect(await offered("thinlun", "target", "")).toEqual(
      expect.arrayContaining(["create", "map", "unmap", "delete"]),
    );
    expect(await offered("thinlun", "target", "map", "--block")).toEqual(["--block-size"]);
  });

  it("says what things are to the shells that show it", async () => {
    const shell = process.env["SHELL"];
    process.env["SHELL"] = "/bin/zsh";
    try {
      const { stdout } = await run("--get-yargs-completions", "thinlun", "session", "");
      expect(stdout).toContain("list:List sessions");
    } finally {
      if (shell === undefined) delete process.env["SHELL"];
      else process.env["SHELL"] = shell;
    }
  });
});
