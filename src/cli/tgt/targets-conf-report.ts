import {
  ConfigGeneralError,
  describeRemark,
  type Place,
  type Remark,
} from "./config-general-error.ts";
import { WARNINGS_MAX } from "./config-general-limits.ts";
import type { ConfigBlock, ConfigNode } from "./config-general-tree.ts";

/** A text, and where it is written. */
export interface Said {
  readonly place: Place;
  readonly text: string;
}

/** Collects everything that is wrong, instead of stopping at the first: a file is corrected in one go. */
export class TargetsConfReport {
  readonly warnings: Remark[] = [];
  readonly #problems: Remark[] = [];
  /** What was said already: what stands for all stores of a target is looked at for each of them. */
  readonly #said = new Set<string>();

  /** Throws ConfigGeneralError when there was a problem. */
  close(): void {
    if (this.#problems.length > 0) throw new ConfigGeneralError(this.#problems);
  }

  problem(place: Place, message: string): void {
    this.#add(this.#problems, { place, message });
  }

  warn(place: Place, message: string): void {
    this.#add(this.warnings, { place, message });
  }

  #add(remarks: Remark[], remark: Remark): void {
    const said = describeRemark(remark);
    if (remarks.length >= WARNINGS_MAX || this.#said.has(said)) return;
    this.#said.add(said);
    remarks.push(remark);
  }
}

/** A block whose values are read. tgt-admin stops at the first of the problems that are collected here. */
export class ConfSection {
  readonly report: TargetsConfReport;
  /** What messages call it: "target iqn...", "" for what is outside of all blocks. */
  readonly name: string;
  readonly #block: ConfigBlock;

  constructor(block: ConfigBlock, name: string, report: TargetsConfReport) {
    this.#block = block;
    this.name = name;
    this.report = report;
  }

  get place(): Place {
    return this.#block.place;
  }

  node(key: string): ConfigNode | undefined {
    return this.#block.entries.get(key);
  }

  /** What is said at most once, or null. */
  once(key: string): Said | null {
    const node = this.node(key);
    if (node === undefined) return null;
    if (node.kind === "value") return this.said(key, node);
    this.problem(node.place, `multiple "${key}" definitions are not allowed`);
    return null;
  }

  /** What may be said often, in the order in which it is said. */
  often(key: string): Said[] {
    const node = this.node(key);
    if (node === undefined) return [];
    const items = node.kind === "list" ? node.items : [node];
    return items.flatMap((item) => this.said(key, item) ?? []);
  }

  /** What may be said often, but only the first counts; null where it is not said. */
  first(key: string): Said | null {
    const [first, second] = this.often(key);
    if (second !== undefined) {
      this.warn(second.place, `only one "${key}" is allowed: the first one is used`);
    }
    return first ?? null;
  }

  said(key: string, node: ConfigNode): Said | null {
    if (node.kind !== "value") {
      this.problem(node.place, `"${key}" is no block`);
      return null;
    }
    if (node.text === null || node.text === "") {
      this.problem(node.place, `option "${key}" has a missing value`);
      return null;
    }
    return { place: node.place, text: node.text };
  }

  /** tgt-admin passes over what it does not know in silence. Here, a warning says what may have been meant. */
  warnOfUnknown(known: readonly string[]): void {
    for (const [key, node] of this.#block.entries) {
      if (known.includes(key)) continue;
      const meant = known.find((each) => normalized(each) === normalized(key));
      const hint = meant === undefined ? "" : `, did you mean "${meant}"?`;
      this.warn(node.place, `unknown option "${key}" is ignored${hint}`);
    }
  }

  problem(place: Place, message: string): void {
    this.report.problem(place, this.#inWords(message));
  }

  warn(place: Place, message: string): void {
    this.report.warn(place, this.#inWords(message));
  }

  #inWords(message: string): string {
    return this.name === "" ? message : `${this.name}: ${message}`;
  }
}

/** Letters and digits alone: most slips are in the case of letters, and in "-" and "_". */
function normalized(key: string): string {
  return key.toLowerCase().replace(/[^a-z0-9]/g, "");
}
