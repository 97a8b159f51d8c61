import type { OperationKind } from "./history.ts";
import type { VirginSteps } from "./virgin-steps.ts";

/** What sort of pool a history lives in, and what befalls it. */
export interface Profile {
  readonly name: string;
  readonly extentBytes: number;
  readonly devices: number;
  /** Of each device. */
  readonly deviceBytes: number;
  readonly journalBytes: number;
  /** Largest volume, in extents. */
  readonly volumeExtents: number;
  readonly volumesMax: number;
  readonly atomicBytes: number;
  /** A discard leaves zeros; otherwise garbage. */
  readonly discardZeroes: boolean;
  /** The pool was made on devices that are known to be zeros. */
  readonly isZero: boolean;
  readonly rounds: number;
  /** How many of the rounds are about extents that are freed and used again. */
  readonly churn: number;
  /** All rounds are about what happens beside checkpoints that take their time. */
  readonly besideCheckpoints: boolean;
  readonly faults: boolean;
  /** File systems below the disks are full every now and then, and nothing else is wrong. */
  readonly fullDisks: boolean;
  /** They need room for what is written over, too (Btrfs, ZFS). */
  readonly copiesOnWrite: boolean;
  /** Writes of a checkpoint's pages take up to so many milliseconds; 0: what others take. */
  readonly pagesMs: number;
  readonly lies: boolean;
  readonly without: readonly OperationKind[];
  /** What there is more of, outside churn: each entry counts like one of a hundred. */
  readonly favoured: readonly OperationKind[];
  /** Memory for leaves. */
  readonly leafMemoryBytesMax: number;
  /** How the virgin marks move; null: to the end of a segment at once. */
  readonly virginSteps: VirginSteps | null;
}

const KIB = 1024;
const MIB: number = 1024 * KIB;

const SMALL: Profile = {
  name: "small",
  extentBytes: 16 * KIB,
  devices: 1,
  deviceBytes: 12 * MIB,
  journalBytes: MIB,
  volumeExtents: 24,
  volumesMax: 8,
  atomicBytes: 512,
  discardZeroes: true,
  isZero: true,
  rounds: 30,
  churn: 0.3,
  besideCheckpoints: false,
  faults: false,
  fullDisks: false,
  copiesOnWrite: false,
  pagesMs: 0,
  lies: false,
  without: ["addDevice"],
  favoured: [],
  leafMemoryBytesMax: 4 * MIB,
  virginSteps: null,
};

function times(count: number, ...kinds: OperationKind[]): OperationKind[] {
  return Array.from({ length: count }, () => kinds).flat();
}

/** Histories take them in turn. */
export const PROFILES: readonly Profile[] = [
  SMALL,
  { ...SMALL, name: "dirty", isZero: false, discardZeroes: false, atomicBytes: 4 * KIB },
  { ...SMALL, name: "several", devices: 2, without: [] },
  { ...SMALL, name: "full", volumeExtents: 60, volumesMax: 5 },
  { ...SMALL, name: "faults", devices: 2, faults: true, without: [] },
  { ...SMALL, name: "brim", devices: 2, fullDisks: true, volumeExtents: 40, without: [] },
  // Journal and superblocks do not find room either.
  { ...SMALL, name: "copying", fullDisks: true, copiesOnWrite: true, volumeExtents: 30 },
  { ...SMALL, name: "wide", extentBytes: 64 * KIB, deviceBytes: 14 * MIB, volumeExtents: 16 },
  { ...SMALL, name: "lies", lies: true, atomicBytes: 4 * KIB },
  { ...SMALL, name: "churn", volumeExtents: 30, volumesMax: 3, churn: 0.9 },
  { ...SMALL, name: "long", rounds: 150, volumeExtents: 40 },
  // A page for eight volumes, and checkpoints that make them clean: leaves come and go all the time.
  {
    ...SMALL,
    name: "paging",
    leafMemoryBytesMax: 4 * KIB,
    favoured: times(12, "checkpoint", "snapshot", "read"),
  },
  // Operations on the same few volumes, all at once.
  {
    ...SMALL,
    name: "managing",
    volumeExtents: 12,
    volumesMax: 5,
    without: [],
    churn: 0.1,
    favoured: [
      ...times(20, "snapshot", "clone", "group", "remove", "rollback", "resize"),
      ...times(10, "create", "attributes", "rename", "unmap", "write"),
    ],
  },
  {
    ...SMALL,
    name: "growing",
    without: [],
    rounds: 12,
    churn: 0.1,
    favoured: times(15, "addDevice", "growDevice"),
  },
  // Others take the pool over, in the middle of whatever it does.
  {
    ...SMALL,
    name: "fenced",
    devices: 2,
    without: [],
    rounds: 10,
    pagesMs: 20,
    favoured: [...times(20, "fence"), ...times(40, "checkpoint")],
  },
  // So large that records go on beside a checkpoint, and so full that what is freed is soon taken again.
  {
    ...SMALL,
    name: "tight",
    deviceBytes: 16 * MIB,
    volumeExtents: 460,
    volumesMax: 8,
    rounds: 10,
    besideCheckpoints: true,
    without: ["addDevice", "growDevice"],
  },
  {
    ...SMALL,
    name: "relieved",
    deviceBytes: 16 * MIB,
    volumeExtents: 460,
    volumesMax: 8,
    rounds: 10,
    besideCheckpoints: true,
    without: [],
  },
  // The marks come along with what is written, also while pages are.
  {
    ...SMALL,
    name: "creeping",
    deviceBytes: 24 * MIB,
    volumeExtents: 800,
    volumesMax: 80,
    rounds: 4,
    virginSteps: { aheadExtents: 8, stepExtents: 40 },
  },
];

export function profileNamed(name: string): Profile {
  const profile = PROFILES.find((candidate) => candidate.name === name);
  if (profile === undefined) {
    const names = PROFILES.map((candidate) => candidate.name).join(", ");
    throw new RangeError(`no profile is called ${name}: there are ${names}`);
  }
  return profile;
}
