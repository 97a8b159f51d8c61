import { type Place, refuse, type Remark } from "./config-general-error.ts";
import { BLOCK_DEPTH_MAX, WARNINGS_MAX } from "./config-general-limits.ts";
import type { LogicalLine } from "./config-general-lines.ts";

/** What a key of a block means. */
export type ConfigNode = ConfigValue | ConfigList | ConfigBlock;

/** `key` (null) or `key text`. */
export interface ConfigValue {
  readonly kind: "value";
  readonly place: Place;
  readonly text: string | null;
}

/** A key that is said more than once. The first can be a block, the others are values. */
export interface ConfigList {
  readonly kind: "list";
  readonly place: Place;
  readonly items: readonly ConfigNode[];
}

/** `<key> ... </key>`; and what the names of `<key name>` are kept in. Keys are as they are written. */
export interface ConfigBlock {
  readonly kind: "block";
  readonly place: Place;
  readonly entries: ReadonlyMap<string, ConfigNode>;
}

interface OpenBlock extends ConfigBlock {
  readonly entries: Map<string, ConfigNode>;
}

/** A block that is being read. */
interface Frame {
  readonly place: Place;
  readonly key: string;
  /** Where its entries go; a string says why it may have none. */
  readonly into: OpenBlock | string;
  isEmpty: boolean;
  /** Puts it where it belongs, when it ends. */
  readonly attach: () => void;
}

/** The pattern by which a line begins a block, and which name it has: a word or words in quotes, and what follows. */
const BLOCK_BEGIN = /^<([^/].*)>$/s;
const BLOCK_END = /^<\/(.+)>$/s;
const BLOCK_NAME = /^(?:"([^"]+)"|([^\t-\r ]+))(?:[\t-\r ]+(?:"([^"]+)"|(.*)))?$/s;

/**
 * Makes the tree of what the lines say, as Config::General 2.65 does with -MergeDuplicateBlocks:
 * - blocks of the same key (and name) are one, and a key of it that is said again becomes a list;
 * - any `</...>` ends the block that is open, whatever it names: worth a warning here;
 * - a value may follow a block of the same key, which makes them a list, but not the other way round;
 * - an unnamed block is merged into the one that holds the names of the named ones of its key;
 * - quotes are taken off when they begin and end a value, `\\`, `\"`, `\#` and `\$` lose the backslash, everywhere.
 * Throws ConfigGeneralError for what does not fit together and for blocks that are too deep.
 */
export function buildTree(
  lines: readonly LogicalLine[],
  place: Place,
): { readonly root: ConfigBlock; readonly warnings: readonly Remark[] } {
  const root = newBlock(place);
  const builder = new TreeBuilder(root);
  for (const line of lines) builder.add(line);
  builder.end();
  return { root, warnings: builder.warnings };
}

class TreeBuilder {
  readonly warnings: Remark[] = [];
  readonly #root: OpenBlock;
  readonly #frames: Frame[] = [];

  constructor(root: OpenBlock) {
    this.#root = root;
  }

  add({ place, text, document }: LogicalLine): void {
    if (document !== null) {
      addValue(this.#current(place), text, { kind: "value", place, text: valueOf(document) });
      return;
    }
    const begin = BLOCK_BEGIN.exec(text)?.[1];
    if (begin !== undefined) {
      this.#begin(begin, place);
      return;
    }
    const end = BLOCK_END.exec(text)?.[1];
    if (end !== undefined) {
      this.#end(end, place);
      return;
    }
    const { key, value } = splitOption(text);
    addValue(this.#current(place), key, { kind: "value", place, text: value });
  }

  end(): void {
    const open = this.#frames.at(-1);
    if (open !== undefined) refuse(open.place, `the block <${open.key}> does not end`);
  }

  #current(place: Place): OpenBlock {
    const frame = this.#frames.at(-1);
    if (frame === undefined) return this.#root;
    frame.isEmpty = false;
    return typeof frame.into === "string" ? refuse(place, frame.into) : frame.into;
  }

  #begin(inside: string, place: Place): void {
    const { key, name } = blockName(inside, place);
    if (this.#frames.length >= BLOCK_DEPTH_MAX) {
      refuse(place, `more than ${BLOCK_DEPTH_MAX} blocks, one in the other`);
    }
    const parent = this.#current(place);
    const existing = parent.entries.get(key);
    this.#frames.push(
      name === undefined
        ? unnamedFrame(parent, key, existing, place)
        : namedFrame(parent, key, name, place),
    );
  }

  #end(inside: string, place: Place): void {
    const frame = this.#frames.pop();
    if (frame === undefined) return refuse(place, `</${inside}> ends no block`);
    if (inside !== frame.key && this.warnings.length < WARNINGS_MAX) {
      const begun = `<${frame.key}> of line ${frame.place.line}`;
      this.warnings.push({ place, message: `</${inside}> ends the block ${begun}` });
    }
    frame.attach();
  }
}

function newBlock(place: Place): OpenBlock {
  return { kind: "block", place, entries: new Map() };
}

function blockName(inside: string, place: Place): { key: string; name: string | undefined } {
  const quoted = /^"([^"]+)"$/.exec(inside)?.[1];
  if (quoted !== undefined) return { key: quoted, name: undefined };
  const match = BLOCK_NAME.exec(inside);
  if (match === null) return { key: inside, name: undefined };
  const [, quotedKey, key = "", quotedName, name] = match;
  // Perl takes a "0" in quotes for no key, and then loses which block is open.
  if (quotedKey === "0") refuse(place, 'a block cannot have "0" in quotes for its key');
  // The same for a name is harmless: it is taken for none.
  return { key: quotedKey ?? key, name: quotedName === "0" ? undefined : (quotedName ?? name) };
}

function unnamedFrame(
  parent: OpenBlock,
  key: string,
  existing: ConfigNode | undefined,
  place: Place,
): Frame {
  if (existing?.kind === "value") {
    refuse(place, `<${key}> begins a block, but "${key}" has a value in ${lineOf(existing)}`);
  }
  const nothing = (): void => undefined;
  if (existing !== undefined) {
    return { place, key, into: contentOf(existing, key), isEmpty: true, attach: nothing };
  }
  const into = newBlock(place);
  return { place, key, into, isEmpty: true, attach: () => parent.entries.set(key, into) };
}

function namedFrame(parent: OpenBlock, key: string, name: string, place: Place): Frame {
  const holder = parent.entries.get(key) ?? newBlock(place);
  if (holder.kind !== "block") {
    const what = holder.kind === "list" ? "values" : "a value";
    refuse(place, `<${key} ${name}> begins a block, but "${key}" has ${what} in ${lineOf(holder)}`);
  }
  const names = (holder as OpenBlock).entries;
  const existing = names.get(name);
  const into =
    existing === undefined || (existing.kind === "value" && existing.text === null)
      ? newBlock(place)
      : contentOf(existing, name);
  const frame: Frame = {
    place,
    key,
    into,
    isEmpty: true,
    attach: () => {
      parent.entries.set(key, holder);
      // A key without a value stays one when the block that it becomes is empty.
      const stays = existing?.kind === "value" && frame.isEmpty;
      if (typeof into !== "string" && !stays) names.set(name, into);
    },
  };
  return frame;
}

/** Where the content of a block that is there already goes, or why there may be none. */
function contentOf(existing: ConfigNode, key: string): OpenBlock | string {
  if (existing.kind === "block") return existing as OpenBlock;
  return `this is in a block, but "${key}" has a value in ${lineOf(existing)}`;
}

function lineOf({ place }: ConfigNode): string {
  return `line ${place.line} of ${place.file}`;
}

function addValue({ entries }: OpenBlock, key: string, value: ConfigValue): void {
  const existing = entries.get(key);
  if (existing === undefined) {
    entries.set(key, value);
  } else if (existing.kind === "list") {
    (existing.items as ConfigNode[]).push(value);
  } else {
    entries.set(key, { kind: "list", place: existing.place, items: [existing, value] });
  }
}

/** `key = value`, `key value`, or a key alone: what comes first of an equals sign and white space separates. */
function splitOption(text: string): { key: string; value: string | null } {
  const separator = /[\t-\r ]*=[\t-\r ]*|[\t-\r ]+/.exec(text);
  if (separator === null) return { key: text, value: null };
  const value = text.slice(separator.index + separator[0].length);
  return { key: text.slice(0, separator.index), value: valueOf(value) };
}

function valueOf(text: string): string {
  let value = text;
  // One quote alone begins and ends what is then empty.
  if (value.startsWith('"') && value.endsWith('"'))
    value = value.slice(1, Math.max(1, value.length - 1));
  return value.replace(/\\([$\\"#])/g, "$1");
}
