import type { BlockDevice } from "../../device/block-device.ts";
import type { ThinVolume } from "../io/thin-volume.ts";
import type { PoolListener } from "./pool-events.ts";
import type {
  AttributeChanges,
  CopySpec,
  NewDevice,
  PoolOpenOptions,
  SettingsChanges,
  VolumeSpec,
} from "./pool-options.ts";
import type { PoolUsage } from "./usage.ts";

/**
 * An open pool. Operations that change it run one after another; each is durable when it resolves, and has happened as a whole or
 * not at all after a crash (rule N). They reject with a PoolError and then have changed nothing.
 */
export declare class Pool {
  /** Recovers the pool if it was not closed. Errors: missing, foreign, corrupt, failed, unsupported, io. */
  static open(options: PoolOpenOptions): Promise<Pool>;

  get uuid(): string;
  get name(): string;
  /** Bytes. */
  get extentBytes(): number;
  /** Volumes and snapshots, by id. */
  volumes(): ThinVolume[];
  /** Errors: missing. */
  volume(nameOrUuid: string): ThinVolume;
  /** Says that somebody serves the volume, which cannot be deleted meanwhile; returns the function that says that it is over. */
  use(volume: ThinVolume): () => void;

  createVolume(spec: VolumeSpec): Promise<ThinVolume>;
  /** Copies volumes at one instant, in their order. */
  snapshot(copies: readonly CopySpec<ThinVolume>[]): Promise<ThinVolume[]>;
  /** `volume` becomes, in content and size, what `source` is. */
  rollback(volume: ThinVolume, source: ThinVolume): Promise<void>;
  rename(volume: ThinVolume, name: string): Promise<void>;
  setAttributes(volume: ThinVolume, changes: AttributeChanges): Promise<void>;
  resize(volume: ThinVolume, sizeBytes: number, consentToShrink: boolean): Promise<void>;
  /** Errors: busy while somebody uses it. Its space comes back in the background. */
  delete(volume: ThinVolume): Promise<void>;
  setSettings(changes: SettingsChanges): Promise<void>;

  addDevice(device: BlockDevice, options: NewDevice): Promise<void>;
  /** Takes what a device has gained since; `isZero`: it reads as zeros on stable media. */
  growDevice(index: number, options?: { readonly isZero?: boolean }): Promise<void>;

  usage(): PoolUsage;
  /** Whether the pool's bookkeeping agrees with itself: what was found wrong, in words; empty where nothing is. */
  check(): Promise<string[]>;
  /** Makes everything durable that was acknowledged. */
  sync(): Promise<void>;
  checkpoint(): Promise<void>;
  /** Returns the function that unsubscribes. */
  subscribe(listener: PoolListener): () => void;
  /** Idempotent. Takes nothing more, writes a clean checkpoint and releases the pool; the devices stay open. */
  close(): Promise<void>;
}
