import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { completionCommand, completionScript } from "../../src/cli/completion.ts";
import { hasProgram } from "../support/debian-packages.ts";
import { run as runProgram } from "../support/program.ts";
import { type Shown, type } from "./interactive-shell.ts";
import { run } from "./support.ts";

const CLI = join(import.meta.dirname, "..", "..", "dist", "src", "cli", "thinlun.cjs");

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "thinlun-completion-"));
  const program = join(folder, "thinlun");
  writeFileSync(program, `#!/bin/sh\nexec ${process.execPath} ${CLI} "$@"\n`);
  chmodSync(program, 0o755);
  writeFileSync(join(folder, "disks.yaml"), "");
});

afterEach(() => rmSync(folder, { recursive: true }));

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
});

/** Lines that are typed, up to the tab, and what becomes of them. */
const COMPLETED = (): readonly (readonly [string, string])[] => [
  ["thinlun tar", "thinlun target "],
  ["thinlun target unm", "thinlun target unmap "],
  ["thinlun target map --block", "thinlun target map --block-size "],
  ["thinlun target allow --match al", "thinlun target allow --match all "],
  ["thinlun target allow --match=al", "thinlun target allow --match=all "],
  ["thinlun completion f", "thinlun completion fish "],
  [`thinlun apply ${folder}/dis`, `thinlun apply ${folder}/disks.yaml `],
  [`thinlun serve --config ${folder}/dis`, `thinlun serve --config ${folder}/disks.yaml `],
  [`thinlun serve --config=${folder}/dis`, `thinlun serve --config=${folder}/disks.yaml `],
];

const hasZsh = hasProgram("zsh");

describe.skipIf(!hasZsh || !hasProgram("bash"))("in an interactive bash", () => {
  const typed = (keys: string): Promise<Shown> =>
    type("bash", keys, folder, completionScript("bash"));

  it("a tab completes commands, options, values and files", async () => {
    for (const [keys, line] of COMPLETED()) expect((await typed(`${keys}\t`)).line).toBe(line);
  });

  it("lists what there is, without options where none is begun", async () => {
    const { screen } = await typed("thinlun target \t");
    for (const word of ["create", "map", "unmap", "delete"]) expect(screen).toContain(word);
    expect(screen).not.toContain("--help");
    expect((await typed("thinlun target create --\t")).screen).toMatch(/--alias\s+.*--sessions/s);
  });
});

describe.skipIf(!hasZsh)("in an interactive zsh", () => {
  const read = (): string => completionScript("zsh");

  it("a tab completes the same, for the first time already", async () => {
    writeFileSync(join(folder, "_thinlun"), read());
    for (const [keys, line] of COMPLETED()) {
      expect((await type("zsh", `${keys}\t`, folder)).line).toBe(line);
    }
  });

  it("does so where the script was read by source", async () => {
    expect((await type("zsh", "thinlun tar\t", folder, read())).line).toBe("thinlun target ");
  });

  it("says what things are", async () => {
    writeFileSync(join(folder, "_thinlun"), read());
    const { screen } = await type("zsh", "thinlun target \t", folder);
    expect(screen).toMatch(/^create +-- Make a target/m);
    expect(screen).not.toContain("--help");
    const options = await type("zsh", "thinlun target create --\t", folder);
    expect(options.screen).toMatch(/^--alias +-- What people call it/m);
  });
});

describe.skipIf(!hasProgram("fish"))("in fish", () => {
  /** What fish offers, a line each: the word, a tab and what it is. */
  async function offered(line: string): Promise<string[]> {
    const commands = `${completionScript("fish")}complete -C '${line}'\n`;
    writeFileSync(join(folder, "try.fish"), commands);
    const environment = [`HOME=${folder}`, `PATH=${folder}:${process.env["PATH"] ?? ""}`];
    const said = await runProgram("env", ...environment, "fish", "-N", join(folder, "try.fish"));
    return said.split("\n").filter((one) => one !== "");
  }

  it("the same is offered", async () => {
    for (const [keys, line] of COMPLETED()) {
      const word = line.trim().split(" ").at(-1);
      expect((await offered(keys)).map((one) => one.split("\t")[0])).toEqual([word]);
    }
  });

  it("says what things are, with neither files nor options between commands", async () => {
    const said = await offered("thinlun session ");
    expect(said.map((one) => one.split("\t")[0])).toEqual(["list", "logout"]);
    expect(said[0]).toContain("\tList sessions");
    expect((await offered("thinlun target create --al"))[0]).toMatch(/^--alias\tWhat people/);
  });
});
