import { spawnSync } from "node:child_process";
import { join } from "node:path";
import type { ConfigNode } from "../../../src/cli/tgt/config-general-tree.ts";

/** A tree as Perl has it: nothing, text, a list, or a hash. */
export type PerlTree = null | string | PerlTree[] | { [key: string]: PerlTree };

/** For each folder that standard input names: the tree of its file "main" as JSON, or null when that is refused. */
const PROGRAM = `
use strict; use Config::General qw(ParseConfig); use JSON::PP;
my $json = JSON::PP->new->ascii->canonical;
open(STDERR, ">", "/dev/null");
while (my $folder = <STDIN>) {
  chomp $folder;
  chdir $folder or die;
  my %conf = eval { ParseConfig(-ConfigFile => "$folder/main", -UseApacheInclude => 1,
    -IncludeDirectories => 1, -IncludeGlob => 1, -MergeDuplicateBlocks => 1) };
  print $@ ? "null" : $json->encode(\\%conf), "\\n";
}`;

/** Of the system, as tgt-admin asks for it. */
const PERL = "/usr/bin/perl";

/** Whether Perl is here, with Config::General. */
export function hasConfigGeneral(): boolean {
  return spawnSync(PERL, ["-MConfig::General", "-MJSON::PP", "-e", "1"]).status === 0;
}

/** What the real parser makes of `main` in each of these folders; null: it is refused. */
export function perlTrees(folders: readonly string[]): PerlTree[] {
  const { status, stdout } = spawnSync(PERL, ["-e", PROGRAM], {
    input: folders.map((folder) => `${join(folder)}\n`).join(""),
    encoding: "utf8",
    maxBuffer: 64 << 20,
  });
  if (status !== 0) throw new Error(`perl ended with ${status}`);
  return stdout
    .trimEnd()
    .split("\n")
    .map((line) => fromBytes(JSON.parse(line) as PerlTree));
}

/** Perl's characters are bytes. */
function fromBytes(tree: PerlTree): PerlTree {
  if (tree === null) return null;
  if (typeof tree === "string") return Buffer.from(tree, "latin1").toString("utf8");
  if (Array.isArray(tree)) return tree.map(fromBytes);
  const entries = Object.entries(tree).map(([key, value]): [string, PerlTree] => [
    fromBytes(key) as string,
    fromBytes(value),
  ]);
  return Object.fromEntries(entries);
}

/** Our tree in the same shape. */
export function plainTree(node: ConfigNode): PerlTree {
  if (node.kind === "value") return node.text;
  if (node.kind === "list") return node.items.map(plainTree);
  return Object.fromEntries([...node.entries].map(([key, value]) => [key, plainTree(value)]));
}
