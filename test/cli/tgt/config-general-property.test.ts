import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { ConfigGeneralError } from "../../../src/cli/tgt/config-general-error.ts";
import type { ConfigFiles, FileKind } from "../../../src/cli/tgt/config-general-files.ts";
import { parseConfigGeneral } from "../../../src/cli/tgt/config-general.ts";
import { chooseSeed, SeededRandom } from "../../../src/util/random.ts";
import { hasConfigGeneral, perlTrees, type PerlTree, plainTree } from "./config-general-perl.ts";

const CASES = 400;

const KEYS = ["a", "b", "lun", "backing-store", "Key", "x=y", '"q"', "0", "\u00e4", "<<", "</>"];
const NAMES = ["a", "b", "t", '"a b"', '"t"', "backing-store", "lun"];
const TEXTS = [
  ...'v|w x|0|/dev/sdb|/dev/*/x|/*|*/|/* c */|//|a=b|= z|\\|\\\\|\\#|#|# c|\\$|\\"|"|"v"|""'.split(
    "|",
  ),
  ...'"a" b "c"|\u00fc|<|>|<x>|/>|<y/>|<<|<<E|\r|\f'.split("|"),
];
const BLANKS = [" ", " ", " ", "  ", "\t", "\v"];
const FILES = ["one.conf", "two.conf", ".hidden.conf", "d/three.conf", "d/four", "main"];
const PATTERNS =
  "*.conf d d/* nothing* {two,one}.conf [a-o]*.conf [!o]*.conf ?wo.conf d/{three.conf,fou?} " +
  "o\\ne.conf none */* {d,.}/* ./one.conf .* o{}ne.conf";
const INCLUDED = [...FILES, ...PATTERNS.split(" ")];

/** Texts that are made of what means something to the parser, often enough of the shape of a configuration. */
class Writer {
  readonly #random: SeededRandom;
  #open: string[] = [];

  constructor(random: SeededRandom) {
    this.#random = random;
  }

  text(): string {
    this.#open = [];
    const lines = Array.from({ length: this.#random.below(14) }, () => this.#line());
    const isClosed = this.#random.chance(0.9);
    const ends = isClosed ? this.#open.reverse().map((name) => `</${name}>`) : [];
    const text = [...lines, ...ends].join("\n");
    return this.#random.chance(0.8) ? `${text}\n` : text;
  }

  #pick(choices: readonly string[]): string {
    return this.#random.pick(choices);
  }

  #blank(): string {
    return this.#random.chance(0.7) ? "" : this.#pick(BLANKS);
  }

  #words(): string {
    const words = Array.from({ length: 1 + this.#random.below(3) }, () => this.#pick(TEXTS));
    return words.join(this.#random.chance(0.7) ? this.#pick(BLANKS) : "");
  }

  #line(): string {
    const choice = this.#random.below(100);
    const blank = this.#blank();
    if (choice < 40) return `${blank}${this.#option()}${this.#blank()}`;
    if (choice < 55) return `${blank}${this.#begin()}${this.#blank()}`;
    if (choice < 67) return `${blank}${this.#end()}`;
    if (choice < 71)
      return `${blank}<${this.#pick(NAMES)}${this.#random.pick(["", " x"])}/>${blank}`;
    if (choice < 76) return this.#hereDocument();
    if (choice < 81) return `${this.#option()}\\\n${blank}${this.#words()}`;
    if (choice < 86) return `${blank}/* ${this.#words()}\n${this.#option()}\n*/${this.#words()}`;
    if (choice < 95) return this.#include();
    return this.#words();
  }

  #option(): string {
    const key = this.#pick(KEYS);
    const separator = this.#random.pick([" ", " ", "=", " = ", "\t", "  "]);
    return this.#random.chance(0.1) ? key : `${key}${separator}${this.#words()}`;
  }

  #begin(): string {
    const name = this.#pick(NAMES);
    this.#open.push(name);
    const argument = this.#random.pick(["", " ", " x", " y", ' "z z"', ' "0"', " 0", " x y"]);
    return `<${name}${argument}>`;
  }

  #end(): string {
    const name = this.#open.pop() ?? (this.#random.chance(0.1) ? "a" : undefined);
    return name === undefined ? "" : `</${this.#random.chance(0.9) ? name : "other"}>`;
  }

  #hereDocument(): string {
    const indent = this.#blank();
    const separator = this.#random.pick([" ", " = ", "=", "\t"]);
    const lines = [this.#words(), `${indent}${this.#words()}`].slice(this.#random.below(3));
    const marker = this.#random.pick(["E", "E F"]);
    const key = this.#random.pick(["a", "doc", "0"]);
    const end = this.#random.chance(0.95) ? [`${indent}${marker}`] : [];
    return [`${key}${separator}<<${this.#blank()}${marker}`, ...lines, ...end].join("\n");
  }

  #include(): string {
    const word = this.#random.pick(["include", "Include", "includeoptional", " include"]);
    const quote = this.#random.pick(["", "", '"', "'"]);
    return `${word} ${quote}${this.#pick(INCLUDED)}${quote}${this.#blank()}`;
  }
}

function filesBelow(folder: string): ConfigFiles {
  return {
    kindOf(path): FileKind {
      const found = statSync(resolve(folder, path), { throwIfNoEntry: false });
      if (found === undefined) return "none";
      return found.isFile() ? "file" : found.isDirectory() ? "folder" : "other";
    },
    read: (path) => readFileSync(resolve(folder, path)),
    namesIn: (path) => readdirSync(resolve(folder, path)),
  };
}

/** Our tree, or null when it is refused. */
function ourTree(folder: string): PerlTree {
  try {
    return plainTree(parseConfigGeneral(join(folder, "main"), filesBelow(folder)).root);
  } catch (error) {
    if (error instanceof ConfigGeneralError) return null;
    throw error;
  }
}

const canCompare = hasConfigGeneral();
const seed = chooseSeed(process.env);
const top = mkdtempSync(join(tmpdir(), "thinlun-config-general-"));

afterAll(() => rmSync(top, { recursive: true, force: true }));

describe(`the trees of generated texts (THINLUN_SEED=${seed})`, () => {
  const needed = canCompare ? "" : " (needs perl and libconfig-general-perl)";

  it.skipIf(!canCompare)(`are those of Config::General itself${needed}`, () => {
    const writer = new Writer(new SeededRandom(seed));
    const folders = Array.from({ length: CASES }, (_, index) => join(top, String(index)));
    for (const folder of folders) {
      for (const file of FILES) {
        const path = join(folder, file);
        mkdirSync(dirname(path), { recursive: true });
        writeFileSync(path, writer.text());
      }
    }
    const theirs = perlTrees(folders);
    expect(theirs).toHaveLength(CASES);
    for (const [index, folder] of folders.entries()) {
      const texts = FILES.map((file) => `${file}:\n${readFileSync(join(folder, file), "utf8")}`);
      expect(ourTree(folder), texts.join("\n")).toEqual(theirs[index]);
    }
    // Were most of them refused, they would say little.
    const refused = theirs.filter((tree) => tree === null).length;
    expect(refused).toBeLessThan(CASES * 0.8);
  });
});
