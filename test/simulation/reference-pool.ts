import type { ThinVolume } from "../../src/thin/io/thin-volume.ts";
import { PoolError } from "../../src/thin/pool-error.ts";
import type { Pool } from "../../src/thin/pool/pool.ts";
import type { CopySpec, VolumeSpec } from "../../src/thin/pool/pool-options.ts";
import { IoError } from "../../src/util/io-error.ts";
import { IoKind, type IoRequest } from "../../src/util/io-request.ts";
import type { Label } from "./labels.ts";
import type { Machine } from "./machine.ts";
import { Media, PAGE_BYTES } from "./media.ts";
import type { Life } from "./scheduler.ts";

/** How the reference can be broken, to see that the oracle notices. */
export type Flaw =
  | "none"
  | "early-acknowledgement"
  | "late-write"
  | "wrong-place"
  | "flush-nothing"
  | "group-in-parts"
  | "group-not-gated"
  | "rollback-in-parts"
  | "shrink-keeps"
  | "forgets-delete"
  | "changes-at-once"
  | "mixes-labels";

interface Kept {
  readonly uuid: string;
  sizeBytes: number;
  media: Media;
  readonly readOnly: boolean;
  label: Label;
}

/** What outlives the process: one medium for each volume, where an engine would have extents. */
export class ReferenceStore {
  volumes: Map<string, Kept> = new Map();

  crash(machine: Machine, kind: "kill" | "power" | "reboot"): void {
    for (const { media } of this.volumes.values()) {
      if (kind === "power") media.powerCut(machine.random);
      if (kind === "reboot") media.shutDown();
    }
  }
}

/**
 * A pool that keeps every promise without trying hard: each volume has a disk of its own, and a management operation is one step of
 * magic. It shows that the oracle asks for nothing that it must not, and with a flaw, that it asks for enough.
 */
export class ReferencePool {
  readonly #machine: Machine;
  readonly #store: ReferenceStore;
  readonly #life: Life;
  readonly #flaw: Flaw;
  readonly #changes: Map<string, Set<Promise<void>>> = new Map();
  /** Operations come one after another. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(machine: Machine, store: ReferenceStore, flaw: Flaw) {
    this.#machine = machine;
    this.#store = store;
    this.#life = machine.life;
    this.#flaw = flaw;
    // An opened pool has made durable what it found.
    for (const { media } of store.volumes.values()) media.flush(media.serial);
  }

  asPool(): Pool {
    return this as unknown as Pool;
  }

  volumes(): ThinVolume[] {
    return [...this.#store.volumes.values()].map((kept) => this.#handle(kept));
  }

  volume(uuid: string): ThinVolume {
    return this.#handle(this.#kept(uuid));
  }

  #kept(uuid: string): Kept {
    const kept = this.#store.volumes.get(uuid);
    if (kept === undefined) throw new PoolError("missing", uuid);
    return kept;
  }

  #inTurn(operation: () => Promise<void>): Promise<void> {
    if (this.#flaw === "changes-at-once") return operation();
    const result = this.#last.then(operation);
    this.#last = result.catch(() => undefined);
    return result;
  }

  #handle(kept: Kept): ThinVolume {
    const pool = this as ReferencePool;
    const handle = {
      attributes: { uuid: kept.uuid, readOnly: kept.readOnly, ...kept.label },
      get capacityBytes(): number {
        return kept.sizeBytes;
      },
      tryRead: (into: Uint8Array, offset: number, length: number, at: number): boolean => {
        if (at + length > kept.sizeBytes) return false;
        kept.media.read(into, offset, length, at);
        return true;
      },
      tryWrite: (): boolean => false,
      tryBegin: (): boolean => false,
      submit: (request: IoRequest): void => pool.#submit(kept, request),
    };
    return handle as unknown as ThinVolume;
  }

  #submit(kept: Kept, request: IoRequest): void {
    const refused = this.#refusal(kept, request);
    if (refused !== undefined) return request.done(refused);
    const isChange = request.kind !== IoKind.read && request.kind !== IoKind.flush;
    const begun = new Map(
      [...this.#store.volumes.values()].map(({ media }) => [media, media.serial]),
    );
    const work = this.#after(this.#delay()).then(() => {
      if (this.#flaw === "early-acknowledgement" && isChange) request.done(null);
      const error = this.#refusal(kept, request);
      if (error === undefined) this.#carryOut(kept, request, begun);
      this.#machine.moment();
      if (this.#life.isDead) return;
      if (this.#flaw !== "early-acknowledgement" || !isChange) request.done(error ?? null);
    });
    if (!isChange || this.#flaw === "group-not-gated") return;
    const changes = this.#changes.get(kept.uuid) ?? new Set();
    this.#changes.set(kept.uuid, changes.add(work));
    void work.then(() => changes.delete(work));
  }

  #refusal(kept: Kept, { offsetBytes, lengthBytes, kind }: IoRequest): IoError | undefined {
    const context = { object: kept.uuid, offsetBytes };
    if (!this.#store.volumes.has(kept.uuid)) return new IoError("gone", "gone", context);
    if (kind === IoKind.flush) return undefined;
    if (offsetBytes + lengthBytes > kept.sizeBytes) return new IoError("range", "range", context);
    if (kept.readOnly && kind !== IoKind.read) return new IoError("read-only", "no", context);
    return undefined;
  }

  #carryOut(kept: Kept, request: IoRequest, begun: ReadonlyMap<Media, number>): void {
    const { kind, offsetBytes, lengthBytes, buffers } = request;
    if (this.#life.isDead) return;
    if (kind === IoKind.read) {
      let at = offsetBytes;
      for (const buffer of buffers) {
        kept.media.read(buffer, 0, buffer.length, at);
        at += buffer.length;
      }
    } else if (kind === IoKind.flush) {
      if (this.#flaw === "flush-nothing") return;
      for (const [media, serial] of begun) media.flush(serial);
    } else if (kind === IoKind.write) {
      const isAstray = this.#flaw === "wrong-place" && offsetBytes > 0;
      const at = isAstray ? offsetBytes - 512 : offsetBytes;
      const late = this.#flaw === "late-write" ? this.#delay() : 0;
      const data = Buffer.concat(buffers);
      if (late === 0) kept.media.write(data, 0, lengthBytes, at);
      else void this.#after(late).then(() => kept.media.write(data, 0, lengthBytes, at));
      if (request.forceUnitAccess) kept.media.flushRange(offsetBytes, lengthBytes);
    } else {
      kept.media.write(null, 0, lengthBytes, offsetBytes);
    }
  }

  #delay(): number {
    return 0.001 + this.#machine.random.below(300) / 100;
  }

  #after(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.#machine.scheduler.schedule(this.#life, delayMs, () => {
        this.#machine.moment();
        if (!this.#life.isDead) resolve();
      });
    });
  }

  async #instant(uuids: readonly string[]): Promise<void> {
    await this.#after(this.#delay());
    for (;;) {
      const running = uuids.flatMap((uuid) => [...(this.#changes.get(uuid) ?? [])]);
      if (running.length === 0) return;
      await Promise.all(running);
    }
  }

  async #done(): Promise<void> {
    this.#machine.moment();
    await this.#after(this.#delay());
  }

  createVolume(spec: VolumeSpec): Promise<void> {
    return this.#inTurn(async () => {
      await this.#after(this.#delay());
      const { uuid, name, sizeBytes, reservedBytes = 0, quotaBytes = 0 } = spec;
      const label = { name, reservedBytes, quotaBytes };
      this.#store.volumes.set(uuid, {
        uuid,
        sizeBytes,
        media: newMedium(),
        readOnly: false,
        label,
      });
      await this.#done();
    });
  }

  snapshot(copies: readonly CopySpec<ThinVolume>[]): Promise<void> {
    return this.#inTurn(() => this.#snapshot(copies));
  }

  async #snapshot(copies: readonly CopySpec<ThinVolume>[]): Promise<void> {
    for (const { source } of copies) this.#kept(source.attributes.uuid);
    const uuids = copies.map(({ source }) => source.attributes.uuid);
    if (this.#flaw !== "group-not-gated") await this.#instant(uuids);
    for (const { source, uuid, name, readOnly } of copies) {
      const kept = this.#kept(source.attributes.uuid);
      kept.media.flush(kept.media.serial);
      const media = kept.media.clone();
      const { sizeBytes } = kept;
      const label = { name, reservedBytes: 0, quotaBytes: 0 };
      this.#store.volumes.set(uuid, { uuid, sizeBytes, media, readOnly: readOnly ?? true, label });
      if (this.#flaw === "group-in-parts" || this.#flaw === "group-not-gated") await this.#done();
    }
    await this.#done();
  }

  rollback(volume: ThinVolume, source: ThinVolume): Promise<void> {
    return this.#inTurn(() => this.#rollback(volume, source));
  }

  async #rollback(volume: ThinVolume, source: ThinVolume): Promise<void> {
    const [to, from] = [volume, source].map(({ attributes }) => attributes.uuid) as [
      string,
      string,
    ];
    const [kept, other] = [this.#kept(to), this.#kept(from)];
    await this.#instant([to, from]);
    other.media.flush(other.media.serial);
    if (this.#flaw === "rollback-in-parts") {
      const part = Buffer.alloc(Math.min(other.sizeBytes, kept.sizeBytes) >> 1);
      other.media.read(part, 0, part.length, 0);
      kept.media.write(part, 0, part.length, 0);
      await this.#done();
    }
    kept.media = other.media.clone();
    kept.sizeBytes = other.sizeBytes;
    await this.#done();
  }

  resize(volume: ThinVolume, sizeBytes: number): Promise<void> {
    return this.#inTurn(() => this.#resize(volume, sizeBytes));
  }

  async #resize(volume: ThinVolume, sizeBytes: number): Promise<void> {
    const { uuid } = volume.attributes;
    const kept = this.#kept(uuid);
    await this.#instant([uuid]);
    const cut = kept.sizeBytes - sizeBytes;
    if (cut > 0 && this.#flaw !== "shrink-keeps") {
      kept.media.write(null, 0, cut, sizeBytes);
      kept.media.flush(kept.media.serial);
    }
    kept.sizeBytes = sizeBytes;
    await this.#done();
  }

  delete(volume: ThinVolume): Promise<void> {
    const { uuid } = volume.attributes;
    return this.#inTurn(async () => {
      this.#kept(uuid);
      await this.#instant([uuid]);
      if (this.#flaw !== "forgets-delete") this.#store.volumes.delete(uuid);
      await this.#done();
    });
  }

  async sync(): Promise<void> {
    const begun = [...this.#store.volumes.values()].map(({ media }) => ({
      media,
      at: media.serial,
    }));
    await this.#done();
    for (const { media, at } of begun) media.flush(at);
  }

  check(): Promise<string[]> {
    return Promise.resolve([]);
  }

  usage(): { dataBytes: number; quarantinedBytes: number; reservedBytes: number } {
    return { dataBytes: 0, quarantinedBytes: 0, reservedBytes: 0 };
  }

  subscribe(): () => void {
    return () => undefined;
  }

  setAttributes({ attributes }: ThinVolume, changes: Partial<Label>): Promise<void> {
    return this.#inTurn(async () => {
      const kept = this.#kept(attributes.uuid);
      const base = this.#flaw === "mixes-labels" ? attributes : kept.label;
      const { name, reservedBytes, quotaBytes } = { ...base, ...changes };
      kept.label = { name, reservedBytes, quotaBytes };
      await this.#done();
    });
  }

  rename(volume: ThinVolume, name: string): Promise<void> {
    return this.setAttributes(volume, { name });
  }

  checkpoint(): Promise<void> {
    return this.#done();
  }
  addDevice(): Promise<void> {
    return this.#inTurn(() => this.#done());
  }

  growDevice(): Promise<void> {
    return this.#inTurn(() => this.#done());
  }

  async close(): Promise<void> {
    await this.sync();
  }
}

export function newMedium(): Media {
  return new Media(1024 * PAGE_BYTES * 1024, 512);
}
