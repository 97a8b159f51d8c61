import { describe, expect, it } from "vitest";
import {
  ConfigGeneralError,
  describePlace,
  describeRemark,
} from "../../../src/cli/tgt/config-general-error.ts";
import { below, compareBytes, folderOf } from "../../../src/cli/tgt/config-general-files.ts";
import { globFiles, GlobError, isGlob } from "../../../src/cli/tgt/config-general-glob.ts";
import { readConfigFiles } from "../../../src/cli/tgt/config-general-include.ts";
import { BLOCK_DEPTH_MAX, LINE_LENGTH_MAX } from "../../../src/cli/tgt/config-general-limits.ts";
import { readLines, trim } from "../../../src/cli/tgt/config-general-lines.ts";
import { buildTree } from "../../../src/cli/tgt/config-general-tree.ts";
import { parseConfigGeneral } from "../../../src/cli/tgt/config-general.ts";
import { memoryFiles } from "./config-general-memory.ts";
import { plainTree } from "./config-general-perl.ts";

type Files = Readonly<Record<string, string | Uint8Array>>;

function parse(
  text: string | Uint8Array,
  files: Files = {},
): ReturnType<typeof parseConfigGeneral> {
  return parseConfigGeneral("/etc/t.conf", memoryFiles({ "/etc/t.conf": text, ...files }));
}

function tree(text: string, files: Files = {}): unknown {
  return plainTree(parse(text, files).root);
}

function warnings(text: string, files: Files = {}): string[] {
  return parse(text, files).warnings.map(describeRemark);
}

describe("lines of a configuration", () => {
  it.each([
    ["a 1\nb=2\nc = 3\nd\n", { a: "1", b: "2", c: "3", d: null }],
    ["a 1 # no\n# no\n  #no\nb x\\#y\n", { a: "1", b: "x#y" }],
    ["a 1 \\\n   2\nb \\\n\nc \\\\\n", { a: "1 2", b: null, c: "\\" }],
    ["/* a 1\nb 2\n*/ c 3\nd 4 /* x */ e\n", { c: "3", d: "4e" }],
    [
      "a <<E\n  one\n    two # stays\n  E\nb = << E F\nx\nE F\n",
      { a: "one\n  two # stays", b: "x" },
    ],
    ['a "q v"\nb "x\nc "\nd ""\ne \\$\\"\\\\\n', { a: "q v", b: '"x', c: "", d: "", e: '$"\\' }],
    ["a =\n= 5\na b = c\n", { a: ["", "b = c"], "": "5" }],
    ["\ta\t1\r\n\v\f\n b\u00a0c\n", { a: "1", "b\u00a0c": null }],
    ["<a/>\n<b x/>\n", { a: {}, b: { x: {} } }],
    ["\ufeffa 1", { a: "1" }],
    ["A 1\na 2\n", { A: "1", a: "2" }],
  ])("%j", (text, expected) => {
    expect(tree(text)).toEqual(expected);
  });

  it.each([
    ["a 1\nb <<E\nx\n", "/etc/t.conf:2: the here-document"],
    ["/* a\n", "/etc/t.conf:1: this comment"],
    ["a 1\n\nb \\\n", "/etc/t.conf:3: the line that a backslash continues"],
    ["a /dev/*/x\n", '/etc/t.conf:1: a "*/" ends no comment'],
    ["a 1 \\\r\n", "/etc/t.conf:1: a carriage return"],
    ["0 <<E\n", '/etc/t.conf:1: the key "0"'],
    ["<a>\n</b>\n", "/etc/t.conf:2: </b> ends the block <a> of line 1"],
  ])("warns of what is lost in %j", (text, expected) => {
    const found = warnings(text);
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(expected);
  });

  it("says where each begins", () => {
    const places: string[] = [];
    readLines("\na \\\n 1\nb <<E\nE\n<c/>", "f", {
      line: ({ place, text }) => places.push(`${describePlace(place)} ${text}`),
      include: () => undefined,
      warn: () => undefined,
    });
    expect(places).toEqual(["f:2 a 1", "f:4 b", "f:6 <c>", "f:6 </c>"]);
    expect(trim("\u00a0 \t")).toBe("\u00a0");
  });
});

describe("blocks of a configuration", () => {
  it.each([
    ["<t a>\nx 1\n</t>\n<t a>\nx 2\n</t>\n<t b>\n</t>\n", { t: { a: { x: ["1", "2"] }, b: {} } }],
    ["<t>\n<u v>\n</u>\n</t>\n", { t: { u: { v: {} } } }],
    [
      '<"a b">\n</a>\n<"a" "b c">\n</a>\n<t >\n</t>\n',
      { "a b": {}, a: { "b c": {} }, t: { "": {} } },
    ],
    ["< t b >\n</t>\n", { " t b ": {} }],
    ["<t b>\n</t>\n<t>\ny 1\n</t>\n", { t: { b: {}, y: "1" } }],
    ["<b /a>\n</b>\nb /c\n", { b: [{ "/a": {} }, "/c"] }],
    ["<t>\nx\n</t>\n<t x>\n</t>\n<t x>\ny 1\n</t>\n", { t: { x: { y: "1" } } }],
    ["<t>\nx\n</t>\n<t x>\n</t>\n", { t: { x: null } }],
    ['<t "0">\n</t>\n<>\n</>\n', { t: {}, "<>": null, "</>": null }],
    ["__proto__ 1\n", JSON.parse('{"__proto__":"1"}')],
  ])("%j", (text, expected) => {
    expect(tree(text)).toEqual(expected);
  });

  it.each([
    ["a 1\n<t x>\n<u>\n</u>\n", "/etc/t.conf:2: the block <t> does not end"],
    ["a 1\n</t>\n", "/etc/t.conf:2: </t> ends no block"],
    ["b /a\n<b /c>\n</b>\n", '/etc/t.conf:2: <b /c> begins a block, but "b" has a value in line 1'],
    ["<b /a>\n</b>\nb 1\n<b /c>\n</b>\n", '"b" has values in line 1 of'],
    ["b 1\n<b>\n</b>\n", '/etc/t.conf:2: <b> begins a block, but "b" has a value'],
    ["b 1\nb 2\n<b>\nc 1\n</b>\n", '/etc/t.conf:4: this is in a block, but "b" has a value'],
    ["<t>\nx 1\n</t>\n<t x>\ny 1\n</t>\n", '/etc/t.conf:5: this is in a block, but "x"'],
    ['<"0" x>\n</t>\n', "/etc/t.conf:1: a block cannot have"],
  ])("refuses %j", (text, message) => {
    expect(() => parse(text)).toThrow(message);
    expect(() => parse(text)).toThrow(ConfigGeneralError);
  });

  it("is the tree of lines, wherever they come from", () => {
    const place = { file: "f", line: 3 };
    const { root } = buildTree([{ place, text: "a 1", document: null }], place);
    expect(root.entries.get("a")).toEqual({ kind: "value", place, text: "1" });
  });
});

describe("includes", () => {
  const files = {
    "/etc/conf.d/b.conf": "b 1",
    "/etc/conf.d/a.conf": "a 1\n",
    "/etc/conf.d/.hidden.conf": "h 1",
    "/etc/conf.d/sub/c.conf": "c 1",
    "/home/e.conf": "e 1",
    "/etc/e.conf": "e 2",
    "/etc/it's.conf": "q 1",
    "/dev/null": "",
  };

  it.each([
    ["include /etc/conf.d/*.conf", ["a", "b"]],
    ["INCLUDE conf.d/[!b].conf # here", ["a"]],
    ["include /etc/conf.d/{b,a}.conf", ["b", "a"]],
    ["include /etc/conf.d", ["h", "a", "b"]],
    ["include conf.d/a.conf", ["a"]],
    ['include "/etc/conf.d/a.conf"', ["a"]],
    ['include"/etc/it\'s.conf"', ["q"]],
    ["include e.conf", ["e"]],
    ["include nothing*", []],
    ["includeoptional conf.d/a.conf", ["a"]],
    ["includeoptional nothing", []],
    ["includeoptional conf.d/.hidden.conf", []],
    ["include /dev/null", []],
    ["include \\\n/etc/conf.d", ["include"]],
    ["include", ["include"]],
    ['include ""', ["include"]],
  ])("%j", (text, keys) => {
    expect([...parse(text, files).root.entries.keys()]).toEqual(keys);
  });

  it("may begin a block in one file that ends in another", () => {
    const other = { "/etc/o": "x 1\n</t>\n" };
    expect(tree("<t a>\ninclude /etc/o\n", other)).toEqual({ t: { a: { x: "1" } } });
  });

  it("looks where the reader is before it looks beside the first file", () => {
    const { lines } = readConfigFiles("/etc/e.conf", memoryFiles(files));
    expect(lines.map(({ text }) => text)).toEqual(["e 2"]);
    expect(tree("include e.conf", files)).toEqual({ e: "1" });
  });

  it.each([
    ["a 1\ninclude none\n", '/etc/t.conf:2: the file "none" does not exist, nor below "/etc/"'],
    ['include "/etc/e.conf" \n', '/etc/t.conf:1: the file ""/etc/e.conf"" does not exist'],
    [`include ${"{a,b}".repeat(11)}`, "/etc/t.conf:1: the pattern"],
  ])("refuses %j", (text, message) => {
    expect(() => parse(text, files)).toThrow(message);
  });

  it("says of a missing first file that it is missing, and of one that cannot be read why", () => {
    const broken = { ...memoryFiles({ "/etc/x": "" }) };
    broken.read = () => {
      throw new Error("EACCES: permission denied");
    };
    expect(() => parseConfigGeneral("/none", memoryFiles({}))).toThrow(
      "/none: there is no such file",
    );
    expect(() => parseConfigGeneral("/etc/x", broken)).toThrow('cannot read "/etc/x": EACCES');
  });

  it("is a warning when a file is read already, which ends every loop", () => {
    const loop = {
      "/etc/a": "a 1\ninclude b\n",
      "/etc/b": "b 1\ninclude /etc/a\ninclude /etc/b\n",
    };
    const { root, warnings: found } = parse("include /etc/a\ninclude /etc/b\n", loop);
    expect(plainTree(root)).toEqual({ a: "1", b: "1" });
    expect(found.map(describeRemark)).toEqual([
      '/etc/b:2: "/etc/a" includes itself: it was read from /etc/t.conf:1 on',
      '/etc/b:3: "/etc/b" includes itself: it was read from /etc/a:2 on',
      '/etc/t.conf:2: "/etc/b" is included again: it was read from /etc/a:2 on',
    ]);
  });
});

describe("hostile configurations", () => {
  it.each([
    ["a NUL", Buffer.from("a 1\nb \0 2\n"), "/etc/t.conf:2: a NUL byte"],
    [
      "what is not UTF-8",
      Buffer.from("a 1\n\nb \xe4\n", "latin1"),
      "/etc/t.conf:3: this is not in UTF-8",
    ],
    [
      "a long line",
      `a 1\nb ${"x".repeat(LINE_LENGTH_MAX)}\n`,
      "/etc/t.conf:2: a line of 65538 characters",
    ],
    [
      "a line of 10 MB",
      "x".repeat(10 << 20),
      '/etc/t.conf: "/etc/t.conf" is larger than 4194304 bytes',
    ],
    [
      "deep blocks",
      "<a>\n".repeat(10_000),
      `/etc/t.conf:${BLOCK_DEPTH_MAX + 1}: more than 64 blocks`,
    ],
  ])("are refused: %s", (_, text, message) => {
    expect(() => parse(text)).toThrow(message);
  });

  it("are refused when files include each other too deeply, or are too large together", () => {
    const chain = Object.fromEntries(
      Array.from({ length: 40 }, (_, index) => [`/etc/${index}`, `include /etc/${index + 1}`]),
    );
    expect(() => parse("include /etc/0", chain)).toThrow(
      "/etc/30:1: more than 32 files include each",
    );
    const large = Object.fromEntries(
      Array.from({ length: 5 }, (_, index) => [
        `/etc/l/${index}`,
        `#${"x".repeat(1 << 15)}\n`.repeat(120),
      ]),
    );
    expect(() => parse("\ninclude /etc/l", large)).toThrow("/etc/t.conf:2: all files together");
  });

  it("cost no more than their size", () => {
    const line = LINE_LENGTH_MAX - 2;
    const texts = ["<", " ", "<a", "/*", "*/ ", "\\ ", "a =", '"', "{["].map((part) =>
      `${part.repeat(Math.floor(line / part.length))}/>\n`.repeat(4),
    );
    for (const text of texts) expect(() => parse(text)).not.toThrow(RangeError);
  });

  it("do not reach the terminal that shows the error", () => {
    expect(describeRemark({ place: { file: "f", line: 0 }, message: "\u001b[2J" })).toBe(
      "f: \\u001b[2J",
    );
    expect(() => parse("</\u001b[2J>")).toThrow("</\\u001b[2J> ends no block");
  });
});

describe("patterns for files", () => {
  const names = ["a.c", "b.c", ".h.c", "x*y", "[z", "a,b", "d/a.c", "d/.e/a.c", "{}"];
  const files = memoryFiles(Object.fromEntries(names.map((name) => [name, ""])));

  it.each([
    ["*.c", ["a.c", "b.c"]],
    [".*.c", [".h.c"]],
    ["?.c", ["a.c", "b.c"]],
    ["[a-a].c", ["a.c"]],
    ["[b-a]*", []],
    ["[!a].c", ["b.c"]],
    ["x\\*y", ["x*y"]],
    ["x**y", ["x*y"]],
    ["[z", ["[z"]],
    ["{b,a}.c", ["b.c", "a.c"]],
    ["{d/{a,b},?}.c", ["d/a.c", "a.c", "b.c"]],
    ["a{\\,,x}b", ["a,b"]],
    ["{}", ["{}"]],
    ["a{}.c", ["a.c"]],
    ["a{.c", []],
    ["*/a.c", ["d/a.c"]],
    ["/home//d/*", ["/home//d/a.c"]],
    ["d", []],
  ])("%s", (pattern, expected) => {
    expect(globFiles(pattern, files)).toEqual(expected);
  });

  it("have bounds, and pass over folders that cannot be read", () => {
    expect(() => globFiles("{a,b}".repeat(20), files)).toThrow(GlobError);
    const closed = { ...files, namesIn: refuseToRead };
    expect(globFiles("*", closed)).toEqual([]);
    expect(["a*", "a?", "[", "{", "\\"].every(isGlob)).toBe(true);
    expect(isGlob("a]}")).toBe(false);
  });
});

function refuseToRead(): string[] {
  throw new Error("EACCES");
}

describe("paths", () => {
  it("are joined and split as Perl does it", () => {
    expect(below("/etc/", "/a//./b")).toBe("/etc/a/b");
    expect(below("./d", "../x")).toBe("d/../x");
    expect(folderOf("/a/b")).toBe("/a/");
    expect(folderOf("b")).toBe("");
  });

  it("are sorted by their bytes, not by their UTF-16", () => {
    expect(["\u{1f600}", "\uffee", "a"].sort(compareBytes)).toEqual(["a", "\uffee", "\u{1f600}"]);
  });
});
