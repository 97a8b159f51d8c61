import type { Remark } from "./config-general-error.ts";
import { refuse } from "./config-general-error.ts";
import type { ConfigFiles } from "./config-general-files.ts";
import { readConfigFiles } from "./config-general-include.ts";
import { type ConfigBlock, buildTree } from "./config-general-tree.ts";

/** What a configuration says. */
export interface ParsedConfigGeneral {
  readonly root: ConfigBlock;
  /** What Config::General passes over in silence or with a word on its standard error, and few can have meant. */
  readonly warnings: readonly Remark[];
}

/**
 * Reads a file in the form of Perl's Config::General 2.65 as tgt-admin has it read (-UseApacheInclude,
 * -IncludeDirectories, -IncludeGlob, -MergeDuplicateBlocks; everything else by default). The tree is the same as there, to the
 * character, also where that is surprising: see {@link readLines}, {@link readConfigFiles} and {@link buildTree}. Different
 * are: texts have to be in UTF-8 and have no NUL, white space is that of ASCII after a byte order mark too, sizes and depths
 * are bounded, and a block with the key `"0"` is refused.
 * Throws ConfigGeneralError.
 */
export function parseConfigGeneral(path: string, files: ConfigFiles): ParsedConfigGeneral {
  const place = { file: path, line: 0 };
  if (files.kindOf(path) === "none") refuse(place, "there is no such file");
  const { lines, warnings } = readConfigFiles(path, files);
  const { root, warnings: more } = buildTree(lines, place);
  return { root, warnings: [...warnings, ...more] };
}
