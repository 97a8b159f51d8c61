import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { commandsOf, parseHelp } from "../../packaging/man/help.ts";
import { escapeRoff, markdownToRoff } from "../../packaging/man/roff.ts";
import { hasProgram } from "../support/debian-packages.ts";
import { attempt, run } from "../support/program.ts";

const top = join(import.meta.dirname, "..", "..");

describe("Markdown", () => {
  it.each([
    ["# Title\n\nText of\ntwo lines\n", ".SH TITLE\nText of two lines\n"],
    ["### Sub\n\none\n\ntwo\n", ".SS Sub\none\n.PP\ntwo\n"],
    [
      "`code -x` and **strong** and *it*\n",
      ".PP\n\\fBcode \\-x\\fR and \\fBstrong\\fR and \\fIit\\fR\n",
    ],
    ["see [there](x.md)\n", ".PP\nsee there\n"],
    ["- a\n- b\n  more\n", ".IP \\(bu 2\na\n.IP \\(bu 2\nb more\n"],
    ["```sh\n.x \\n\n```\n", ".PP\n.nf\n.RS 4\n\\&.x \\en\n.RE\n.fi\n"],
    ["| K | D | |\n|---|---|---|\n| `k` | 1 | what |\n", ".TP\n\\fBk\\fR\nD: 1.\n.br\nwhat\n"],
  ])("%j becomes roff", (markdown, roff) => {
    expect(markdownToRoff(markdown)).toBe(roff);
  });

  it("keeps roff from obeying text", () => {
    expect(escapeRoff(".SH x\n'y \\fB a-b")).toBe("\\&.SH x\n\\&'y \\efB a\\-b");
  });
});

describe("a help text", () => {
  const help = parseHelp(`thinlun volume COMMAND

Work on volumes

Commands:
  thinlun volume create <name>  Make one, of a size that is
                                long
  thinlun volume ls             List them

Options:
      --json     Print JSON  [boolean] [default: false]
  -c, --config   A file  [string]

Examples:
  thinlun volume ls --json  For machines
`);

  it("is taken apart", () => {
    expect(help).toMatchObject({ usage: "thinlun volume COMMAND", description: "Work on volumes" });
    expect(help.sections).toEqual([
      {
        title: "Commands",
        entries: [
          { term: "thinlun volume create <name>", text: "Make one, of a size that is long" },
          { term: "thinlun volume ls", text: "List them" },
        ],
      },
      {
        title: "Options",
        entries: [
          { term: "--json", text: "Print JSON [boolean] [default: false]" },
          { term: "-c, --config", text: "A file [string]" },
        ],
      },
      { title: "Examples", entries: [{ term: "thinlun volume ls --json", text: "For machines" }] },
    ]);
  });

  it("tells its commands", () => {
    expect(commandsOf(help, ["thinlun", "volume"])).toEqual(["create", "ls"]);
    expect(commandsOf(help, ["thinlun", "pool"])).toEqual([]);
  });
});

describe("the pages", () => {
  let folder: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "thinlun-man-"));
    await run(process.execPath, "--import", "tsx", join(top, "packaging/man/generate.ts"), folder);
  }, 120_000);

  afterAll(() => rmSync(folder, { recursive: true }));

  it("are there for each command and file", () => {
    expect(readdirSync(folder).sort()).toEqual([
      "targets.conf.5",
      "tgt-admin.8",
      "tgt-setup-lun.8",
      "tgtadm.8",
      "tgtd.8",
      "tgtimg.8",
      "thinlun.8",
      "thinlun.yaml.5",
    ]);
  });

  it("have the commands as the program has them, and the keys as the document has them", () => {
    const main = readFileSync(join(folder, "thinlun.8"), "utf8");
    for (const text of [
      ".SS thinlun serve",
      ".SS thinlun pool create",
      "\\fB\\-\\-state\\-dir\\fR",
    ]) {
      expect(main).toContain(text);
    }
    expect(main.indexOf(".SH COMMANDS")).toBeLessThan(main.indexOf(".SH FILES"));
    expect(readFileSync(join(folder, "thinlun.yaml.5"), "utf8")).toContain("\\fBstateDir\\fR");
  });

  it.skipIf(!hasProgram("man"))("have nothing that man complains of", async () => {
    for (const name of readdirSync(folder)) {
      const path = join(folder, name);
      const { stderr } = await attempt(
        "man",
        "--warnings",
        "-E",
        "UTF-8",
        "-l",
        "-Tutf8",
        "-Z",
        path,
      );
      expect(stderr, name).toBe("");
    }
  });

  it.skipIf(!hasProgram("mandoc"))("have nothing that mandoc complains of", async () => {
    for (const name of readdirSync(folder)) {
      const { stdout, stderr } = await attempt(
        "mandoc",
        "-T",
        "lint",
        "-W",
        "warning",
        join(folder, name),
      );
      expect(stdout + stderr, name).toBe("");
    }
  });
});
