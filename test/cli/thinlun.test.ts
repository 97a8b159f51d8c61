import { describe, expect, it } from "vitest";
import { run } from "./support.ts";

describe("thinlun", () => {
  it("teaches with --help", async () => {
    const { status, stdout } = await run("--help");
    expect(status).toBe(0);
    for (const word of ["serve", "discover", "verify", "Exit status"]) {
      expect(stdout).toContain(word);
    }
  });

  it("gives examples for each command", async () => {
    const { status, stdout } = await run("serve", "--help");
    expect(status).toBe(0);
    expect(stdout).toContain("thinlun serve --config /etc/thinlun.yaml");
  });

  it("tells its version", async () => {
    expect(await run("--version")).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^\d/),
    });
  });

  it.each([
    [[], "Say what to do"],
    [["srve"], "serve"],
    [["serve", "--verbos"], "verbos"],
    [["serve", "now"], "now"],
    [
      ["target", "map", "iqn.2026-11.net.example:a", "/dev/null", "--lun", "x"],
      "lun takes a number",
    ],
  ])("%j is a wrong command line", async (args, words) => {
    const { status, stderr, stdout } = await run(...args);
    expect(status).toBe(2);
    expect(stderr).toContain(words);
    expect(stderr).toContain("thinlun --help");
    expect(stdout).toBe("");
  });
});
