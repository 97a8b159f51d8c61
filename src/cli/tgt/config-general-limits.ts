/** Bounds of what a configuration in the form of Config::General may be, each with its reason. */

/** A file of this size describes some ten thousand targets; a larger one was given by mistake. */
export const CONFIG_FILE_BYTES_MAX: number = 4 * 1024 * 1024;

/** All files of a configuration together. */
export const CONFIG_TOTAL_BYTES_MAX: number = 16 * 1024 * 1024;

/** Characters of a line as it stands in the file: sixteen times the longest path of Linux. */
export const LINE_LENGTH_MAX: number = 64 * 1024;

/** Files of a configuration: a file for each target of a large host. */
export const CONFIG_FILES_MAX = 16_384;

/** Files that include each other, one within the other. tgt's own layout has two. */
export const INCLUDE_DEPTH_MAX = 32;

/** Blocks within each other. Two mean something in targets.conf. */
export const BLOCK_DEPTH_MAX = 64;

/** Patterns that the braces of one pattern stand for: {a,b}{c,d} are four, and every pair of braces multiplies. */
export const BRACE_PATTERNS_MAX = 1024;

/** Sayings kept of one configuration; past it, more of them help nobody. */
export const WARNINGS_MAX = 1000;
