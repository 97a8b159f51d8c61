import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { PoolConfig } from "../../src/control/config/config.ts";
import { PoolStore } from "../../src/control/pool-store.ts";
import { FileDevice } from "../../src/device/file-device.ts";
import { HEARTBEAT_OFFSET } from "../../src/thin/format/layout.ts";
import { systemOwner } from "../../src/thin/members/owner.ts";
import { IoError } from "../../src/util/io-error.ts";
import { IoKind, type IoRequest, readBytes, writeBytes } from "../../src/util/io-request.ts";
import { systemRandomBytes } from "../../src/util/random.ts";
import { drive } from "../support/drive.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { recordingLog } from "../support/recording-log.ts";

const MIB = 1024 * 1024;
const UUID = "5e0f7a7e-52ad-4f2b-8f0d-6d2f0d5d1c3a";
const VOLUME_UUID = "5e0f7a7e-52ad-4f2b-8f0d-6d2f0d5d1c3b";
const STEP_MS = 250;
const BLOCK_BYTES = 4096;

let folder: string;
let hosts: Host[];
/** Requests of all hosts that devices are at. */
let inFlight: number;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "thinlun-shared-"));
  hosts = [];
  inFlight = 0;
});

afterEach(async () => {
  for (const host of hosts) await host.drive(host.store.closeAll());
  await rm(folder, { recursive: true });
});

/** A host with a clock of its own, which sees the image as all do, and no other host's locks. */
class Host {
  readonly clock: ManualClock;
  readonly marks: Set<string> = new Set();
  readonly store: PoolStore;
  /** Its way to the disk is stalled once it has read the journal: nothing more that it asks for gets there. */
  stallsInRecovery: boolean = false;
  failsFlushes: boolean = false;
  #hasReadJournal = false;
  readonly #stalled: (() => void)[] = [];

  constructor(number: number, clock: ManualClock = new ManualClock()) {
    this.clock = clock;
    const letter = "abcdef".charAt(number);
    const id = `${letter.repeat(8)}-0000-4000-8000-000000000000`;
    this.store = new PoolStore({
      log: recordingLog([]),
      clock: this.clock,
      randomBytes: systemRandomBytes,
      identities: {
        uuidOf: () => Promise.resolve(UUID),
        disksOf: () => [],
        wasMade: () => false,
        rememberMade: () => Promise.resolve(),
        forget: () => Promise.resolve(),
      },
      stateDir: folder,
      owner: async () => ({ ...(await systemOwner()), hostId: id, bootId: id }),
      failureMark: {
        isSet: (uuid) => Promise.resolve(this.marks.has(uuid)),
        set: (uuid) => void this.marks.add(uuid),
      },
      openDevice: async (path) => this.#watched(await FileDevice.open(path, { lock: false })),
    });
    hosts.push(this);
  }

  get pool() {
    const pool = this.store.find("tank")?.pool;
    if (pool === undefined) throw new Error("the pool is not open");
    return pool;
  }

  /** Lets time pass, as long as no I/O is under way, until the work is done. */
  drive<Result>(work: Promise<Result>): Promise<Result> {
    return drive(work, () => this.#step());
  }

  async pass(seconds: number): Promise<void> {
    const endMs = this.clock.nowMs() + seconds * 1000;
    while (this.clock.nowMs() < endMs) await this.#step();
  }

  open(changes: Partial<PoolConfig> = {}): Promise<void> {
    return this.drive(this.store.open("tank", config(changes)));
  }

  async #step(): Promise<void> {
    if (inFlight === 0) this.clock.advance(STEP_MS);
    await sleep(1);
  }

  /** Whether something waits in its stalled way to the disk. */
  get isStuck(): boolean {
    return this.#stalled.length > 0;
  }

  /** The disk is there again: what waited gets to it. */
  wake(): void {
    this.stallsInRecovery = false;
    for (const submit of this.#stalled.splice(0)) submit();
  }

  #watched(device: FileDevice): FileDevice {
    const submit = device.submit.bind(device);
    const send = (request: IoRequest): void => {
      const original = request.done.bind(request);
      inFlight += 1;
      request.done = (error) => {
        Reflect.deleteProperty(request, "done");
        inFlight -= 1;
        original(error);
      };
      submit(request);
    };
    device.submit = (request: IoRequest) => {
      if (this.failsFlushes && request.kind === IoKind.flush) {
        request.done(new IoError("medium", "a flush that fails", { object: "disk" }));
        return;
      }
      const isLong = request.lengthBytes > BLOCK_BYTES;
      if (this.stallsInRecovery && !isLong && this.#hasReadJournal) {
        this.#stalled.push(() => send(request));
        return;
      }
      this.#hasReadJournal ||= isLong;
      send(request);
    };
    return device;
  }
}

function config(changes: Partial<PoolConfig>): PoolConfig {
  return {
    devices: [join(folder, "shared.img")],
    create: null,
    direct: false,
    shared: true,
    takeOver: false,
    optional: false,
    overcommitMax: null,
    thresholds: [],
    autogrow: null,
    fullRetrySeconds: 0,
    ...changes,
  };
}

/** The pool, closed, with a volume "v" in it. */
async function makePool(): Promise<void> {
  const maker = new Host(5);
  // What makes images opens them by itself: time would not wait for that.
  const create = { sizeBytes: 64 * MIB, extentBytes: 64 * 1024 };
  await maker.open({ create, shared: false });
  const spec = { name: "v", uuid: VOLUME_UUID, sizeBytes: MIB };
  await maker.drive(maker.pool.createVolume(spec));
  await maker.drive(maker.store.closeAll());
}

/** Numbers of the blocks of the image that are not as they were. */
async function changedBlocks(before: Buffer): Promise<number[]> {
  const now = await readFile(join(folder, "shared.img"));
  const blocks = Array.from({ length: now.length / BLOCK_BYTES }, (_, block) => block);
  return blocks.filter((block) => {
    const [start, end] = [block * BLOCK_BYTES, (block + 1) * BLOCK_BYTES];
    return now.compare(before, start, end, start, end) !== 0;
  });
}

async function showsLife(host: Host): Promise<boolean> {
  const sign = async (): Promise<Buffer> =>
    (await readFile(join(folder, "shared.img"))).subarray(
      HEARTBEAT_OFFSET,
      HEARTBEAT_OFFSET + BLOCK_BYTES,
    );
  const before = await sign();
  await host.pass(3);
  return !before.equals(await sign());
}

describe("a pool that several hosts reach", () => {
  it("is opened by one of two that try at the same time", async () => {
    await makePool();
    const clock = new ManualClock();
    const both = [new Host(0, clock), new Host(1, clock)];
    const ends = await Promise.allSettled(both.map((host) => host.open()));
    expect(ends.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
    const winner = both.find(({ store }) => store.find("tank") !== undefined);
    await winner?.pass(30);
    expect(winner?.pool.failure).toBeNull();
  });

  it("is refused to others, who cannot take it from a host that shows signs of life", async () => {
    await makePool();
    const [owner, other] = [new Host(0), new Host(1)];
    await owner.open();
    await expect(other.open()).rejects.toThrow(/open on another host/);
    let isOver = false;
    const living = (async () => {
      while (!isOver) await owner.pass(1);
    })();
    const taking = other.open({ takeOver: true }).finally(() => (isOver = true));
    await expect(taking).rejects.toThrow(/heartbeat of host aaaaaaaa.* goes on/);
    await living;
    expect(owner.pool.failure).toBeNull();
    await owner.drive(owner.store.closeAll());
    await other.open();
  });

  it("is taken over from a host that is dead, which stops when it wakes up", async () => {
    await makePool();
    const [owner, other] = [new Host(0), new Host(1)];
    await owner.open();
    const before = owner.pool.volume("v");
    await owner.drive(writeBytes(before, 0, Buffer.alloc(4096, 1)));
    await owner.drive(owner.pool.sync());
    // From here on, the owner's clock stands still.
    await other.open({ takeOver: true });
    const volume = other.pool.volume("v");
    expect((await other.drive(readBytes(volume, 0, 512)))[0]).toBe(1);
    await other.drive(writeBytes(volume, 0, Buffer.alloc(4096, 2)));
    await owner.pass(3);
    expect(owner.pool.failure?.message).toMatch(/not ours any more: host bbbbbbbb/);
    const late = owner.drive(writeBytes(before, 0, Buffer.alloc(4096, 3)));
    await expect(late).rejects.toMatchObject({ kind: "failed" });
    expect(owner.marks.size).toBe(0);
    await owner.drive(owner.store.closeAll());
    await other.drive(other.store.closeAll());
    // Nothing has happened to its devices: it may have the pool again.
    await owner.open();
    expect((await owner.drive(readBytes(owner.pool.volume("v"), 0, 512)))[0]).toBe(2);
    expect(await owner.drive(owner.pool.check())).toEqual([]);
  });

  it("is claimed also by a host that was not told that it is shared, and goes past its page cache", async () => {
    await makePool();
    const [owner, other] = [new Host(0), new Host(1)];
    await owner.open();
    await owner.drive(owner.store.closeAll());
    await expect(other.open({ shared: false })).rejects.toThrow(/say "shared: true"/);
    await other.open({ shared: false, direct: true });
    expect(await showsLife(other)).toBe(true);
  });

  it("is shown to be alive by the host that has taken it over, whether that shares it or not", async () => {
    await makePool();
    const [owner, other] = [new Host(0), new Host(1)];
    await owner.open();
    await other.open({ takeOver: true, shared: false, direct: true });
    expect(await showsLife(other)).toBe(true);
    await owner.pass(3);
    expect(owner.pool.failure?.message).toMatch(/not ours any more: host bbbbbbbb/);
    expect(other.pool.failure).toBeNull();
  });

  it("is not taken over from a host that never showed life, unless that is forced", async () => {
    await makePool();
    await new Host(0).open({ shared: false });
    const other = new Host(1);
    await expect(other.open({ takeOver: true })).rejects.toThrow(
      /never given a sign .* "takeOver: force"/,
    );
    await other.open({ takeOver: "force" });
    expect(await showsLife(other)).toBe(true);
  });

  it("can be taken over from a host on which it has failed, and which lives", async () => {
    await makePool();
    const [owner, other] = [new Host(0), new Host(1)];
    await owner.open();
    const volume = owner.pool.volume("v");
    await owner.drive(writeBytes(volume, 0, Buffer.alloc(BLOCK_BYTES, 2)));
    owner.failsFlushes = true;
    await expect(owner.drive(owner.pool.sync())).rejects.toThrow();
    expect(owner.marks.size).toBe(1);
    expect(await showsLife(owner)).toBe(false);
    await other.open({ takeOver: true });
    const before = await readFile(join(folder, "shared.img"));
    await owner.pass(30);
    await owner.drive(owner.store.closeAll());
    expect(await changedBlocks(before)).toEqual([]);
    expect(other.pool.failure).toBeNull();
  });

  it("is not written to by a host that loses it while it opens it", async () => {
    await makePool();
    const [first, other] = [new Host(0), new Host(1)];
    first.stallsInRecovery = true;
    const opening = first.store.open("tank", config({}));
    opening.catch(() => undefined);
    while (!first.isStuck) await first.pass(1);
    // Long enough for it to know that another one may have the pool by now.
    await first.pass(6);
    await other.open();
    const volume = other.pool.volume("v");
    await other.drive(writeBytes(volume, 0, Buffer.alloc(BLOCK_BYTES, 2)));
    await other.drive(other.pool.checkpoint());
    const before = await readFile(join(folder, "shared.img"));
    first.wake();
    await expect(first.drive(opening)).rejects.toThrow(/no heartbeat for 5 s/);
    expect(await changedBlocks(before)).toEqual([]);
    expect([first.marks.size, other.marks.size]).toEqual([0, 0]);
    expect((await other.drive(readBytes(volume, 0, 512)))[0]).toBe(2);
    expect(await other.drive(other.pool.check())).toEqual([]);
  });

  it("is not taken over by a host that was not told to, however quiet it is", async () => {
    await makePool();
    await new Host(0).open();
    const other = new Host(1);
    await other.pass(60);
    await expect(other.open()).rejects.toThrow(/open on another host/);
  });
});
