import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { runChild } from "../../../native-free/child-process.ts";
import { failure, success, wrongUse, WRONG_STATUS } from "../../../src/cli/tgt/ending.ts";

const module = join(import.meta.dirname, "../../../src/cli/tgt/run-program.ts");

describe("a program", () => {
  it("gets its words and its name, prints bytes and ends with its status", async () => {
    const program = `import(${JSON.stringify(module)}).then(({ runProgram }) => {
      process.argv.splice(1, 0, "/usr/sbin/tgtadm.cjs");
      return runProgram(async (words, { calledAs, variables }) => ({
        status: 3,
        stdout: calledAs + JSON.stringify(words) + variables.PLACE,
        stderr: "\\u00c3\\u00a9",
      }));
    });`;
    const args = ["--import", "tsx", "-e", program, "--", "a b", "\u00e9"];
    const ending = await runChild(process.execPath, args, { variables: { PLACE: "here" } });
    expect(ending).toMatchObject({ exitCode: 3, stderr: "\u00e9" });
    // What is a byte to programs of tgt is one on the way out, too.
    expect(ending.stdout).toBe('tgtadm["a b","\u00e9"]here');
  });
});

describe("output", () => {
  it("may end before all of it is read", async () => {
    const program = `import(${JSON.stringify(module)}).then(({ runProgram }) =>
      runProgram(async () => ({ status: 0, stdout: "line\\n".repeat(1e6), stderr: "" })));`;
    const script = '"$0" --import tsx -e "$1" | head -n 1; echo "${PIPESTATUS[0]}"';
    const { stdout, stderr } = await runChild("bash", [
      "--norc",
      "-c",
      script,
      process.execPath,
      program,
    ]);
    expect([stdout, stderr]).toEqual(["line\n0\n", ""]);
  });
});

describe("endings", () => {
  it("have texts and a status", () => {
    expect(success("a\n")).toEqual({ status: 0, stdout: "a\n", stderr: "" });
    expect(failure("a")).toEqual({ status: WRONG_STATUS, stdout: "", stderr: "a\n" });
    expect(failure("a", 1)).toMatchObject({ status: 1 });
    expect(wrongUse("tgtimg", "a").stderr).toBe("a\nTry `tgtimg --help' for more information.\n");
  });
});
