import type { BlockDevice } from "../../../src/device/block-device.ts";
import { DeviceFilter } from "../../../src/device/device-filter.ts";
import { MemoryDevice } from "../../../src/device/memory-device.ts";
import { assemble } from "../../../src/thin/checkpoint/assemble.ts";
import { formatPool } from "../../../src/thin/checkpoint/format-pool.ts";
import type { OwnerIdentity } from "../../../src/thin/checkpoint/owner.ts";
import {
  recover,
  type Recovered,
  type RecoveryOptions,
} from "../../../src/thin/checkpoint/recovery.ts";
import { NO_EXTENT } from "../../../src/thin/format/geometry.ts";
import type { JournalRecord, VolumeAttributes } from "../../../src/thin/format/records.ts";
import { appendRecord } from "../../../src/thin/log/promises.ts";
import type { PoolState } from "../../../src/thin/map/pool-state.ts";
import { systemClock } from "../../../src/util/clock.ts";
import { IoKind, type IoRequest } from "../../../src/util/io-request.ts";
import { silentLog } from "../../../src/util/log.ts";
import { SeededRandom } from "../../../src/util/random.ts";

export const MIB: number = 1024 * 1024;
export const EXTENT_BYTES: number = 16 * 1024;
export const POOL_UUID = "5d1a4b57-9f3c-4f0e-8a61-90ad4c1f2a10";

export function ownerOf(boot: number): OwnerIdentity {
  return {
    hostId: "11111111-1111-4111-8111-111111111111",
    bootId: `22222222-2222-4222-8222-${String(boot).padStart(12, "0")}`,
    nonce: "33333333-3333-4333-8333-333333333333",
    pid: 42,
    openedAtSeconds: 1_700_000_000,
  };
}

export async function formatted(
  sizes: readonly number[] = [16 * MIB],
  isZero: boolean = false,
): Promise<MemoryDevice[]> {
  const devices = sizes.map((bytes, index) => new MemoryDevice(bytes, `d${index}`));
  const random = new SeededRandom(5);
  await formatPool(
    devices.map((device) => ({ device, isZero })),
    {
      uuid: POOL_UUID,
      extentBytes: EXTENT_BYTES,
      settings: { name: "tank", overcommitMax: 0, thresholds: [] },
      randomBytes: (lengthBytes) => random.bytes(lengthBytes),
      owner: ownerOf(0),
    },
  );
  return devices;
}

export async function opened(
  devices: readonly BlockDevice[],
  boot: number = 1,
  options: Partial<RecoveryOptions> = {},
): Promise<Recovered> {
  const { superblocks, joining, devices: ordered } = await assemble(devices);
  return recover({
    devices: ordered,
    joining,
    superblocks,
    owner: ownerOf(boot),
    clock: systemClock,
    log: silentLog,
    leafMemoryBytesMax: 64 * MIB,
    ...options,
  });
}

export function attributesOf(id: number, sizeBytes: number = 64 * MIB): VolumeAttributes {
  return {
    id,
    uuid: `44444444-4444-4444-8444-${String(id).padStart(12, "0")}`,
    name: `volume-${id}`,
    sizeBytes,
    readOnly: false,
    isSnapshot: false,
    originId: 0,
    createdAt: 1_700_000_000,
    reservedBytes: 0,
    quotaBytes: 0,
  };
}

/** All that a pool says of its volumes, for comparison. */
export async function dump(state: PoolState): Promise<string> {
  const { leaves } = state;
  const volumes: unknown[] = [];
  for (const { attributes, map } of state.volumes.values()) {
    const entries: unknown[] = [];
    for (const [leafIndex, leaf] of map.leafIds.entries()) {
      if (leaf === 0) continue;
      leaves.pin(leaf);
      await leaves.load(leaf);
      for (let slot = 0; slot < 1008; slot += 1) {
        const entry = leaves.entry(leaf, slot);
        if (entry === 0) continue;
        const place = leafIndex * 1008 + slot;
        entries.push([place, entry, leaves.base(leaf, slot), leaves.mask(leaf, slot)]);
      }
      leaves.unpin(leaf);
    }
    volumes.push([attributes, entries]);
  }
  return JSON.stringify([state.nextVolumeId, state.settings, state.devices, volumes]);
}

/** A device whose writes and flushes are remembered, so that what a crash would have left can be made. */
export class CrashRecorder extends DeviceFilter {
  readonly events: ({ offsetBytes: number; bytes: Buffer } | "flush")[] = [];

  override tryWrite(
    buffer: Uint8Array,
    bufferOffset: number,
    lengthBytes: number,
    offsetBytes: number,
  ): boolean {
    const bytes = Buffer.from(buffer.subarray(bufferOffset, bufferOffset + lengthBytes));
    this.events.push({ offsetBytes, bytes });
    return super.tryWrite(buffer, bufferOffset, lengthBytes, offsetBytes);
  }

  override submit(request: IoRequest): void {
    if (request.kind === IoKind.flush) this.events.push("flush");
    if (request.kind === IoKind.write) {
      const bytes = Buffer.concat(request.buffers);
      this.events.push({ offsetBytes: request.offsetBytes, bytes });
    }
    super.submit(request);
  }
}

export function recorded(below: BlockDevice): CrashRecorder {
  return new CrashRecorder(below, below.name);
}

/** Holds the writes of pages back until they are let go; those before `pagesFromBytes` go through, where a device 0 has the journal. */
export class HoldingPages extends DeviceFilter {
  readonly #pagesFromBytes: number;
  #held: IoRequest[] | null = null;

  constructor(below: BlockDevice, pagesFromBytes: number = 12 * MIB) {
    super(below, below.name);
    this.#pagesFromBytes = pagesFromBytes;
  }

  hold(): void {
    this.#held = [];
  }

  letGo(): void {
    const held = this.#held ?? [];
    this.#held = null;
    for (const request of held) super.submit(request);
  }

  override submit(request: IoRequest): void {
    const isPage = request.kind === IoKind.write && request.offsetBytes >= this.#pagesFromBytes;
    if (isPage && this.#held !== null) this.#held.push(request);
    else super.submit(request);
  }
}

const ZEROS = Buffer.alloc(MIB);

/** A copy of what is on a device. */
export function copyOf(device: BlockDevice): MemoryDevice {
  const copy = new MemoryDevice(device.capacityBytes, device.name);
  const piece = Buffer.alloc(MIB);
  for (let at = 0; at < device.capacityBytes; at += MIB) {
    device.tryRead(piece, 0, MIB, at);
    if (!piece.equals(ZEROS)) copy.tryWrite(piece, 0, MIB, at);
  }
  return copy;
}

/** Makes up records that can be, one at a time: what the volumes' writers and managers would append. */
export class RecordMaker {
  readonly #state: PoolState;
  readonly #random: SeededRandom;

  constructor(state: PoolState, random: SeededRandom) {
    this.#state = state;
    this.#random = random;
  }

  next(): JournalRecord {
    const state = this.#state;
    const random = this.#random;
    const ids = [...state.volumes.keys()];
    const id = state.nextVolumeId;
    if (ids.length === 0) return { kind: "create", attributes: attributesOf(id) };
    const volume = random.pick(ids);
    const choice = random.below(100);
    if (choice < 3 && ids.length < 6) return { kind: "create", attributes: attributesOf(id) };
    if (choice < 10 && ids.length < 6) return this.#snapshot(volume, id);
    if (choice < 13 && ids.length > 1) return { kind: "delete", volume };
    if (choice < 16 && ids.length > 1) {
      const source = random.pick(ids.filter((other) => other !== volume));
      return { kind: "rollback", volume, source };
    }
    const { map } = state.volumes.get(volume)!;
    const lext = random.below(Math.min(map.extentCount, 2400));
    if (choice < 30) return { kind: "unmap", volume, lext, run: 1 };
    return this.#map(volume, lext, choice < 60);
  }

  #snapshot(source: number, id: number): JournalRecord {
    const { sizeBytes } = this.#state.volumes.get(source)!.attributes;
    return { kind: "snapshot", source, attributes: attributesOf(id, sizeBytes) };
  }

  #map(volume: number, lext: number, isPartial: boolean): JournalRecord {
    const phys = this.#state.space.allocate(null, 1);
    if (phys === NO_EXTENT) return { kind: "unmap", volume, lext, run: 1 };
    if (isPartial) return { kind: "partial", volume, lext, phys, mask: 5, base: NO_EXTENT };
    return { kind: "map", volume, lext, phys, run: 1, safe: false };
  }
}

export async function appendSome(
  recovered: Recovered,
  maker: RecordMaker,
  count: number,
): Promise<void> {
  for (let index = 0; index < count; index += 1) {
    await appendRecord(recovered.journal, maker.next());
  }
}
