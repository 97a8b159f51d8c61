import type { LoadShape, Placement } from "./result.ts";

/** The loads, as data. Ids are stable: results of other days are found by them. */

export const DEFAULT_BLOCK_BYTES = 512;
/** Of all LUNs of a peer together. */
export const DISK_BYTES: number = 256 * 1024 * 1024;

const KIB = 1024;
const MIB = 1024 * KIB;

/** Where the data are: in memory, on a file system that has to flush, or on a loop device over a file there. */
export type BackingKind = "memory" | "disk" | "loop";

export interface NamedLoad extends LoadShape {
  readonly backing: BackingKind;
  readonly placements: readonly Placement[];
  /** Part of `--quick`. */
  readonly isQuick: boolean;
  /** Put on by second generators as well, where nobody says for which loads: each takes as long again. */
  readonly isCheckedByOthers: boolean;
}

type Deviation = Partial<Omit<NamedLoad, "id" | "title">> &
  Pick<NamedLoad, "group" | "kind" | "operationBytes" | "queueDepth">;

const FREE: readonly Placement[] = ["free"];
/** At depth 1 the figure is mostly the wake-up across CPUs. */
const BOTH: readonly Placement[] = ["free", "pinned"];

function sizeText(bytes: number, mib: string, kib: string): string {
  return bytes >= MIB ? `${bytes / MIB}${mib}` : `${bytes / KIB}${kib}`;
}

/** "4k-random-read-d32", with what is unusual behind it. */
function idOf(load: Omit<NamedLoad, "id" | "title">): string {
  const { operationBytes, pattern, kind, queueDepth, sessions, luns, digests } = load;
  return [
    sizeText(operationBytes, "m", "k"),
    pattern,
    kind,
    `d${queueDepth}`,
    ...(load.group === "sessions" ? [`s${sessions}`] : []),
    ...(luns > 1 ? [`l${luns}`] : []),
    ...(digests ? ["digests"] : []),
    ...(load.flushEvery > 0 ? [`flush${load.flushEvery}`] : []),
    ...(load.isCold ? ["cold"] : []),
  ].join("-");
}

function titleOf(load: Omit<NamedLoad, "id" | "title">): string {
  const { operationBytes, pattern, kind, queueDepth, sessions, luns } = load;
  const what = kind === "unmap" ? "write and unmap" : kind;
  return [
    `${sizeText(operationBytes, " MiB", " KiB")} ${pattern} ${what}, depth ${queueDepth}`,
    ...(load.group === "sessions" ? [`${sessions} session${sessions === 1 ? "" : "s"}`] : []),
    ...(luns > 1 ? [`${luns} LUNs`] : []),
    ...(load.digests ? ["digests"] : []),
    ...(load.flushEvery === 1 ? ["each write flushed"] : []),
    ...(load.flushEvery > 1 ? [`a flush after ${load.flushEvery} writes`] : []),
    ...(load.isCold ? ["cold"] : []),
  ].join(", ");
}

function load(deviation: Deviation): NamedLoad {
  const shape = {
    pattern: "random",
    sessions: 1,
    luns: 1,
    digests: false,
    flushEvery: 0,
    isCold: false,
    backing: "memory",
    placements: FREE,
    isQuick: false,
    isCheckedByOthers: false,
    ...deviation,
  } as const;
  return { ...shape, id: idOf(shape), title: titleOf(shape) };
}

function random(): NamedLoad[] {
  const group = "random";
  return ([1, 4, 32, 128] as const).flatMap((queueDepth) =>
    (["read", "write", "mixed"] as const).map((kind) =>
      load({
        group,
        kind,
        operationBytes: 4 * KIB,
        queueDepth,
        placements: queueDepth === 1 ? BOTH : FREE,
        isCheckedByOthers: kind !== "mixed" && queueDepth === 32,
        isQuick: kind !== "mixed" ? queueDepth === 1 || queueDepth === 32 : queueDepth === 4,
      }),
    ),
  );
}

function sequential(): NamedLoad[] {
  const group = "sequential";
  const pattern = "sequential";
  return ([128 * KIB, MIB] as const).flatMap((operationBytes) =>
    ([8, 16] as const).flatMap((queueDepth) =>
      (["read", "write"] as const).map((kind) => {
        const isQuick = operationBytes === 128 * KIB && queueDepth === 16;
        const size = { operationBytes, queueDepth };
        return load({ group, pattern, kind, ...size, isQuick, isCheckedByOthers: isQuick });
      }),
    ),
  );
}

/** How many sessions and LUNs the largest loads have. */
const MANY_SESSIONS = 32;
export const MANY_LUNS = 16;

function sessions(): NamedLoad[] {
  return [1, 4, MANY_SESSIONS].flatMap((count) =>
    (["read", "write"] as const).map((kind) =>
      load({
        group: "sessions",
        kind,
        operationBytes: 4 * KIB,
        queueDepth: 4,
        sessions: count,
        isQuick: kind === "read" && count > 1,
      }),
    ),
  );
}

function readsAndWrites(deviation: Omit<Deviation, "kind">): NamedLoad[] {
  return (["read", "write"] as const).map((kind) => load({ ...deviation, kind } as Deviation));
}

const FOUR_KIB = { operationBytes: 4 * KIB, queueDepth: 32 } as const;

export const LOADS: readonly NamedLoad[] = [
  ...random(),
  ...sequential(),
  ...sessions(),
  ...readsAndWrites({ group: "digests", digests: true, isQuick: true, ...FOUR_KIB }),
  ...readsAndWrites({
    group: "digests",
    digests: true,
    pattern: "sequential",
    operationBytes: 128 * KIB,
    queueDepth: 16,
  }),
  ...readsAndWrites({ group: "luns", luns: MANY_LUNS, isQuick: true, ...FOUR_KIB }),
  load({ group: "unmap", kind: "unmap", operationBytes: 64 * KIB, queueDepth: 8, isQuick: true }),
  load({
    group: "flush",
    kind: "write",
    operationBytes: 4 * KIB,
    queueDepth: 1,
    flushEvery: 1,
    backing: "disk",
  }),
  load({
    group: "flush",
    kind: "write",
    ...FOUR_KIB,
    flushEvery: 32,
    backing: "disk",
    isQuick: true,
  }),
  load({ group: "cold", kind: "read", ...FOUR_KIB, isCold: true, backing: "loop", isQuick: true }),
];
