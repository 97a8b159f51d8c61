import { ThinVolume } from "../../src/thin/io/thin-volume.ts";
import type { Segment } from "../../src/thin/format/records.ts";
import type { HeldWrite } from "../../src/thin/io/engine.ts";
import { Gate } from "../../src/thin/io/gate.ts";
import { Barrier } from "../../src/thin/log/barrier.ts";
import { PoolError } from "../../src/thin/pool-error.ts";
import { FenceError } from "../../src/thin/pool/failure.ts";
import { OperationQueue } from "../../src/thin/pool/operation-queue.ts";
import type { StorageWaiter } from "../../src/thin/log/storage.ts";
import { Health } from "../../src/thin/log/health.ts";
import { LeafStore } from "../../src/thin/map/leaf-store.ts";
import { StorageWatch } from "../../src/thin/pool/storage-watch.ts";
import { AddressSpace } from "../../src/thin/space/address-space.ts";
import { Allocator } from "../../src/thin/space/allocator.ts";
import { Pins } from "../../src/thin/space/pins.ts";
import { Space } from "../../src/thin/space/space.ts";
import { IoError } from "../../src/util/io-error.ts";
import { unmapsBeforeKill, writesToCopies } from "./directed.ts";
import { identity, mendIdentity } from "./engine.ts";
import type { HistoryMaker } from "./explorer.ts";
import { breakage } from "./sim-disk.ts";

interface Patch {
  /** The rule of docs/ordering-rules.md that it breaks. */
  readonly rule: string;
  readonly breaks: string;
  /** The profile whose histories notice it soonest. */
  readonly profile: string;
  /** Histories that head for what notices it; undefined: any of the profile notice it soon. */
  readonly history?: HistoryMaker;
  /** Breaks it; returns what mends it. */
  apply(): () => void;
}

/** Puts methods or accessors of a class in place of its own. */
function patch(prototype: object, replacements: PropertyDescriptorMap): () => void {
  const own = Object.getOwnPropertyDescriptors(prototype) as PropertyDescriptorMap;
  Object.defineProperties(prototype, replacements);
  return () => {
    for (const name of Object.keys(replacements)) {
      const before = own[name];
      if (before !== undefined) Object.defineProperty(prototype, name, before);
    }
  };
}

function method(value: unknown): PropertyDescriptor {
  return { value, configurable: true, writable: true };
}

function getter(get: (this: never) => unknown): PropertyDescriptor {
  return { get, configurable: true };
}

function setting(name: keyof typeof breakage): () => () => void {
  return () => {
    breakage[name] = true;
    return () => {
      breakage[name] = false;
    };
  };
}

/** Has every record refused that maps an extent in which a page of the checkpoint lies, though a later one gives it up. */
function refuseRecordsOfPages(): () => void {
  let reading: Space | null = null;
  const begin = (space: Space): void => void (reading = space);
  // oxlint-disable-next-line typescript/unbound-method -- they are called with their objects
  const { adoptMetadataBlock, startDeriving } = Space.prototype;
  // oxlint-disable-next-line typescript/unbound-method -- it is called with its object
  const { isMappable } = AddressSpace.prototype;
  const mends = [
    patch(Space.prototype, {
      adoptMetadataBlock: method(function adopt(this: Space, block: number): void {
        adoptMetadataBlock.call(this, block);
        begin(this);
      }),
      startDeriving: method(function start(this: Space): void {
        reading = null;
        startDeriving.call(this);
      }),
    }),
    patch(AddressSpace.prototype, {
      isMappable: method(function check(this: AddressSpace, phys: number, run: number): boolean {
        for (let at = phys; at < phys + run; at += 1) {
          if (reading?.metadata.isMetadata(at) === true) return false;
        }
        return isMappable.call(this, phys, run);
      }),
    }),
  ];
  return () => mends.forEach((mend) => mend());
}

/** Has every page refused that lies past the virgin mark of its checkpoint, though the journal behind that moves it on. */
function refusePagesPastMarks(): () => void {
  let opening: AddressSpace | null = null;
  const note = (addresses: AddressSpace): void => void (opening = addresses);
  // oxlint-disable-next-line typescript/unbound-method -- it is called with its object
  const { addSegment } = AddressSpace.prototype;
  // oxlint-disable-next-line typescript/unbound-method -- it is called with its object
  const { adoptMetadataBlock } = Space.prototype;
  const mends = [
    patch(AddressSpace.prototype, {
      addSegment: method(function add(this: AddressSpace, segment: Segment): void {
        note(this);
        addSegment.call(this, segment);
      }),
    }),
    patch(Space.prototype, {
      adoptMetadataBlock: method(function adopt(this: Space, block: number): void {
        const phys = Math.floor(block / opening!.geometry.blocksPerExtent);
        if (!opening!.isMappable(phys, 1)) throw new PoolError("corrupt", "a page past the mark");
        adoptMetadataBlock.call(this, block);
      }),
    }),
  ];
  return () => mends.forEach((mend) => mend());
}

/** A pool does not know that it was taken over; its devices do. */
function forgetFences(): () => void {
  const failure = Object.getOwnPropertyDescriptor(Health.prototype, "failure")!;
  return patch(Health.prototype, {
    failure: getter(function known(this: Health): unknown {
      const error: unknown = failure.get!.call(this);
      return error instanceof FenceError ? null : error;
    }),
  });
}

/** Those who wait for room with a buffer of their own are runs of pages: they are told that they need not, and that all is well. */
function ignorePagesWithoutRoom(): () => void {
  // oxlint-disable-next-line typescript/unbound-method -- it is called with its object
  const { wait } = StorageWatch.prototype;
  return patch(StorageWatch.prototype, {
    wait: method(function forget(this: StorageWatch, waiter: StorageWaiter): void {
      if ("memory" in waiter) waiter.giveUp(null as unknown as IoError);
      else wait.call(this, waiter);
    }),
  });
}

/** Ways to break the engine or what it stands on, each of which the simulation must notice. */
const PATCHES = {
  ackBeforeAppend: {
    rule: "A",
    breaks: "a block of the journal is written after its records are acknowledged",
    profile: "small",
    apply: setting("journalIsLate"),
  },
  flushNothing: {
    rule: "B",
    breaks: "flushes of devices do nothing",
    profile: "small",
    apply: setting("flushNothing"),
  },
  flushOneDevice: {
    rule: "B",
    breaks: "only the first device is flushed",
    profile: "several",
    apply: setting("flushOneDevice"),
  },
  syncAtOnce: {
    rule: "B",
    breaks: "a barrier is done before it begins",
    profile: "small",
    apply: () =>
      patch(Barrier.prototype, {
        sync: method((waiter: { done(error: null): void }) => waiter.done(null)),
      }),
  },
  dirtyIsZero: {
    rule: "B",
    breaks: "extents with old content count as zeros",
    profile: "dirty",
    apply: () => patch(Space.prototype, { lastIsZero: getter(() => true) }),
  },
  releaseAtOnce: {
    rule: "Q",
    breaks: "what a record frees is used before the record is durable",
    profile: "small",
    history: writesToCopies,
    apply: () => {
      // oxlint-disable-next-line typescript/unbound-method -- it is called with its object
      const { dropLater } = Space.prototype;
      return patch(Space.prototype, {
        dropLater: method(function drop(this: Space, phys: number, seq: number): void {
          dropLater.call(this, phys, seq);
          queueMicrotask(() => this.release(seq));
        }),
      });
    },
  },
  releaseUnderIo: {
    rule: "Q",
    breaks: "an extent is released while I/O runs on it",
    profile: "managing",
    apply: () =>
      patch(Pins.prototype, {
        has: method(() => false),
        add: method(() => 1),
        drop: method(() => 0),
      }),
  },
  sharedInPlace: {
    rule: "P",
    breaks: "shared extents and leaves count as exclusive",
    profile: "small",
    apply: () => {
      const mends = [
        patch(Space.prototype, { references: method(() => 1) }),
        patch(LeafStore.prototype, { references: method(() => 1) }),
      ];
      return () => mends.forEach((mend) => mend());
    },
  },
  gateWithoutDrain: {
    rule: "N",
    breaks: "a gate closes without waiting for what had passed",
    profile: "churn",
    apply: () =>
      patch(Gate.prototype, {
        tryEnterChange: method(function enter(this: Gate): boolean {
          return !this.isClosed;
        }),
        leaveChange: method(() => undefined),
      }),
  },
  operationsAtOnce: {
    rule: "N",
    breaks: "operations of the pool do not wait for each other",
    profile: "managing",
    apply: () =>
      patch(OperationQueue.prototype, {
        run: method((operation: () => Promise<unknown>) => operation()),
      }),
  },
  discardIsZero: {
    rule: "Z",
    breaks: "a discard counts as zeros where the device promises none",
    profile: "dirty",
    apply: () => {
      // oxlint-disable-next-line typescript/unbound-method -- it is called with its object
      const { discarded } = Space.prototype;
      return patch(Space.prototype, {
        discarded: method(function done(this: Space, first: number, count: number): void {
          discarded.call(this, first, count, true);
        }),
      });
    },
  },
  bootIgnored: {
    rule: "K",
    breaks: "a killed process is recovered like a power loss",
    profile: "dirty",
    apply: () => {
      identity.bootIdOf = (_boot, nonce) => nonce;
      return mendIdentity;
    },
  },
  journalTrusted: {
    rule: "K",
    breaks: "a power loss is recovered like a kill",
    profile: "dirty",
    apply: () => {
      identity.bootIdOf = () => 1;
      return mendIdentity;
    },
  },
  journalNotCovered: {
    rule: "K",
    breaks:
      "a recovery from a kill writes pages before the journal is durable that it has replayed",
    profile: "tight",
    history: unmapsBeforeKill,
    apply: setting("openingAppendsNothing"),
  },
  pageRecordsRefused: {
    rule: "C",
    breaks: "no record may map an extent that has a page of the same checkpoint by then",
    profile: "tight",
    apply: refuseRecordsOfPages,
  },
  pagesPastMarkRefused: {
    rule: "V",
    breaks: "no page may lie past the virgin mark that its checkpoint has",
    profile: "creeping",
    apply: refusePagesPastMarks,
  },
  pagesInNewSegment: {
    rule: "G",
    breaks: "pages lie in segments that their checkpoint does not have",
    profile: "relieved",
    apply: () =>
      patch(Allocator.prototype, {
        takeForMetadata: method(function take(this: Allocator, runMax: number): number {
          return this.take(runMax);
        }),
      }),
  },
  failureForgotten: {
    rule: "F",
    breaks: "a pool that has failed is opened again in the same boot",
    profile: "faults",
    apply: () => {
      identity.isFailureKept = false;
      return mendIdentity;
    },
  },
  failureNotSticky: {
    rule: "F",
    breaks: "a pool goes on after a failed flush",
    profile: "faults",
    apply: () => patch(Health.prototype, { failure: getter(() => null) }),
  },
  waitsInFencedDevice: {
    rule: "F",
    breaks: "what waits in the devices of a pool that was taken over is done",
    profile: "fenced",
    apply: setting("refusesNothing"),
  },
  fenceForgotten: {
    rule: "F",
    breaks: "a pool that was taken over goes on, as far as its devices let it",
    profile: "fenced",
    apply: forgetFences,
  },
  noRoomStops: {
    rule: "F",
    breaks: "what finds no room below stops the pool",
    profile: "brim",
    apply: () =>
      patch(StorageWatch.prototype, {
        wait: method((waiter: StorageWaiter) =>
          waiter.giveUp(new IoError("space", "no room", { object: "disk" })),
        ),
      }),
  },
  noRoomWaitsForEver: {
    rule: "F",
    breaks: "what has found no room below is not tried again",
    profile: "brim",
    apply: () => patch(StorageWatch.prototype, { wait: method(() => undefined) }),
  },
  pagesWithoutRoom: {
    rule: "F",
    breaks: "pages that found no room count as written",
    profile: "brim",
    apply: ignorePagesWithoutRoom,
  },
  journalWithoutRoom: {
    rule: "F",
    breaks: "a block of the journal that found no room counts as written",
    profile: "copying",
    apply: setting("journalRoomIgnored"),
  },
  dataWithoutRoom: {
    rule: "A",
    breaks: "writes of volumes that found no room are acknowledged",
    profile: "brim",
    apply: () =>
      patch(StorageWatch.prototype, {
        hold: method((write: HeldWrite) => write.giveUp(null as unknown as IoError)),
      }),
  },
  firstWriteForgotten: {
    rule: "A",
    breaks:
      "every tenth first write that a volume begins within the call is acknowledged and not done",
    profile: "small",
    apply: () => {
      let writes = 0;
      // oxlint-disable-next-line typescript/unbound-method -- it is called with its object
      const { tryBegin } = ThinVolume.prototype;
      return patch(ThinVolume.prototype, {
        tryBegin: method(function begin(this: ThinVolume, ...rest: Parameters<typeof tryBegin>) {
          writes += 1;
          if (writes % 10 !== 0) return tryBegin.apply(this, rest);
          queueMicrotask(() => rest[2].done(null));
          return true;
        }),
      });
    },
  },
  writeForgotten: {
    rule: "A",
    breaks: "every tenth quick write of a volume is acknowledged and not done",
    profile: "small",
    apply: () => {
      let writes = 0;
      // oxlint-disable-next-line typescript/unbound-method -- it is called with its object
      const { tryWrite } = ThinVolume.prototype;
      return patch(ThinVolume.prototype, {
        tryWrite: method(function write(this: ThinVolume, ...range: Parameters<typeof tryWrite>) {
          writes += 1;
          return writes % 10 === 0 || tryWrite.apply(this, range);
        }),
      });
    },
  },
} as const satisfies Record<string, Patch>;

export type Mutation = keyof typeof PATCHES;

export const MUTATIONS: readonly Mutation[] = Object.keys(PATCHES) as Mutation[];

export function isMutation(name: string): name is Mutation {
  return name in PATCHES;
}

export function noteOf(mutation: Mutation): Patch {
  return PATCHES[mutation];
}
