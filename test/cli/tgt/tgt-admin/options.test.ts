import { describe, expect, it } from "vitest";
import { ADMIN_HELP, valueHelp } from "../../../../src/cli/tgt/tgt-admin/help.ts";
import { parseAdminOptions } from "../../../../src/cli/tgt/tgt-admin/options.ts";

function parse(line: string): unknown[] {
  const { flags, values, complaints } = parseAdminOptions(line.split(" "));
  return [[...flags], Object.fromEntries(values), complaints];
}

describe("parseAdminOptions", () => {
  it.each([
    ["-e -f -p -v -s -h", [["execute", "force", "pretend", "verbose", "show", "help"], {}, []]],
    ["--with", [["withSecrets"], {}, []]],
    ["-C 5 -c=x --update=ALL", [[], { controlPort: "5", conf: "x", update: "ALL" }, []]],
    ["--delete -v", [[], { delete: "-v" }, []]],
    ["--delete --", [[], { delete: "--" }, []]],
    ["--ready a --ready 0", [[], {}, []]],
    ["-ef", [[], {}, ["Unknown option: ef"]]],
    ["-E", [[], {}, ["Unknown option: E"]]],
    ["--co x", [[], {}, ["Option co is ambiguous (conf, control-port)"]]],
    ["--verb=1", [[], {}, ["Option verbose does not take an argument"]]],
    ["--of", [[], {}, ["Option offline requires an argument"]]],
    ["+", [[], {}, ["Missing option after +"]]],
    ["--=x", [[], {}, ["Unknown option: =x"]]],
    ["word - -- -e", [[], {}, []]],
  ])("reads %s as Getopt::Long does", (line, expected) => {
    expect(parse(line)).toEqual(expected);
  });

  it("is complete in the help", () => {
    const names = [
      "execute",
      "delete",
      "offline",
      "ready",
      "update",
      "show",
      "control-port",
      "conf",
    ];
    const more = ["ignore-errors", "force", "pretend", "dump", "with-secrets", "verbose", "help"];
    for (const name of [...names, ...more]) expect(ADMIN_HELP).toContain(`--${name}`);
    expect(valueHelp("ready")).toContain("--ready tid=4");
    expect(valueHelp("update")).toContain("--force");
  });
});
