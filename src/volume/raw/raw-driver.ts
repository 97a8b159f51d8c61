import type { Stats } from "node:fs";
import { lstat, open, stat, unlink } from "node:fs/promises";
import { dirname } from "node:path";
import type { BlockDevice } from "../../device/block-device.ts";
import { DelayFilter } from "../../device/delay-filter.ts";
import { FileDevice } from "../../device/file-device.ts";
import { createImageFile } from "../../device/image-file.ts";
import { ioErrorFrom } from "../../device/system-error.ts";
import { inspectPath, type SystemFolders } from "../../thin/members/claim.ts";
import { PoolError } from "../../thin/pool-error.ts";
import { syncFolder } from "../../util/sync-folder.ts";
import { DeviceVolume } from "../device-volume.ts";
import { SpecReader, volumeErrorFrom } from "../spec.ts";
import {
  type DriverCapabilities,
  type VolumeDriver,
  VolumeError,
  type VolumeSpec,
} from "../volume-driver.ts";
import type { Volume } from "../volume.ts";

const OPTIONS = ["path", "direct", "delayMs"] as const;

/** Where an open volume lies, to find the same file again for a resize. */
interface Place {
  readonly path: string;
  readonly isBlockDevice: boolean;
  readonly dev: number;
  readonly ino: number;
}

/**
 * Files and block devices as they are: byte 0 of the disk is byte 0 of the file. An image file is sparse, so it is thin;
 * which parts of it are holes cannot be asked from here (SEEK_HOLE), so there are no extents.
 *
 * Options: `path`; `direct` to go past the page cache; `delayMs`, which makes every operation take that much longer.
 */
export class RawDriver implements VolumeDriver {
  readonly kind = "raw";
  readonly capabilities: DriverCapabilities = {
    create: true,
    delete: true,
    resize: true,
    snapshot: false,
    rollback: false,
  };
  readonly #places = new WeakMap<Volume, Place>();
  readonly #folders: SystemFolders | undefined;

  /** `folders`: where the kernel tells what is in use, if it is not where it always is. */
  constructor(folders?: SystemFolders) {
    this.#folders = folders;
  }

  /** Makes a sparse image file. Block devices are not made: whatever lies at `path` is refused. */
  async create(spec: VolumeSpec): Promise<void> {
    const reader = new SpecReader(spec, OPTIONS);
    const path = reader.text("path");
    const sizeBytes = reader.requiredSize();
    await inTermsOf(spec.name, () => createImageFile(path, sizeBytes));
  }

  async open(spec: VolumeSpec): Promise<Volume> {
    const reader = new SpecReader(spec, OPTIONS);
    const path = reader.text("path");
    const direct = reader.flag("direct");
    const delayMs = reader.naturalNumber("delayMs");
    const { uuid, name, readOnly } = spec;
    return inTermsOf(name, async () => {
      const file = await FileDevice.open(path, { direct, readOnly: readOnly === true });
      const device: BlockDevice = delayMs > 0 ? new DelayFilter(file, delayMs) : file;
      const isBlockDevice = file.isBlockDevice;
      const thin = !isBlockDevice && file.traits.discardGranularityBytes > 0;
      const volume = new DeviceVolume({ uuid, name, device, thin, persistent: true });
      try {
        // Of devices the kernel keeps others away.
        if (!isBlockDevice && !file.traits.readOnly) await refuseInUse(path, name, this.#folders);
        const { dev, ino } = await lookUp(stat, path);
        this.#places.set(volume, { path, isBlockDevice, dev, ino });
      } catch (error) {
        await file.close();
        throw error;
      }
      return volume;
    });
  }

  async resize(volume: Volume, sizeBytes: number, consentToShrink: boolean): Promise<void> {
    const place = this.#places.get(volume);
    const refuse = (kind: VolumeError["kind"], why: string): never => {
      throw new VolumeError(kind, `volume ${volume.name}: ${why}`);
    };
    if (place === undefined) return refuse("invalid", "it is not one of this driver's");
    if (place.isBlockDevice) {
      return refuse("unsupported", `${place.path} is a device; resize it by its own tools`);
    }
    if (!volume.capabilities.writable) return refuse("unsupported", "it is open read-only");
    if (!Number.isSafeInteger(sizeBytes) || sizeBytes <= 0) {
      return refuse("invalid", `${sizeBytes} is not a size in bytes`);
    }
    await inTermsOf(volume.name, () => truncateAt(place, sizeBytes, consentToShrink));
    await volume.refresh();
  }

  /** Removes the image file, unless somebody has it open. */
  async delete(spec: VolumeSpec): Promise<void> {
    const path = new SpecReader(spec, OPTIONS).text("path");
    await inTermsOf(spec.name, async () => {
      await refuseLink(path, spec.name);
      const file = await FileDevice.open(path, { readOnly: true });
      try {
        if (file.isBlockDevice) {
          throw new VolumeError("unsupported", `volume ${spec.name}: a device is not deleted`);
        }
        await unlink(path).catch((error: unknown) => {
          throw ioErrorFrom(error, "removing the image", path);
        });
        await syncFolder(dirname(path));
      } finally {
        await file.close();
      }
    });
  }
}

/** A file that is mounted, swapped to or behind a loop device is locked by nobody, and would have two writers. */
async function refuseInUse(
  path: string,
  volumeName: string,
  folders: SystemFolders | undefined,
): Promise<void> {
  try {
    await inspectPath(path, folders);
  } catch (error) {
    if (!(error instanceof PoolError)) throw error;
    const kind = error.kind === "busy" || error.kind === "missing" ? error.kind : "io";
    throw new VolumeError(kind, `volume ${volumeName}: ${error.message}`, error);
  }
}

async function lookUp(how: (path: string) => Promise<Stats>, path: string): Promise<Stats> {
  try {
    return await how(path);
  } catch (error) {
    throw ioErrorFrom(error, "looking it up", path);
  }
}

/** To remove a link would leave the disk behind, and to remove what it points to is more than was asked for. */
async function refuseLink(path: string, volumeName: string): Promise<void> {
  const stats = await lookUp(lstat, path);
  if (!stats.isSymbolicLink()) return;
  throw new VolumeError("unsupported", `volume ${volumeName}: ${path} is a symbolic link`);
}

/**
 * Changes the size of the very file that is open, and makes that durable. Whether that shrinks it is asked of the file
 * right before, not of what was known of it: somebody may have grown it since.
 */
async function truncateAt(
  place: Place,
  sizeBytes: number,
  consentToShrink: boolean,
): Promise<void> {
  const { path } = place;
  try {
    const file = await open(path, "r+");
    try {
      const { dev, ino, size } = await file.stat();
      if (dev !== place.dev || ino !== place.ino) {
        throw new VolumeError("missing", `${path} is another file than the one that is open`);
      }
      if (sizeBytes < size && !consentToShrink) {
        throw new VolumeError("invalid", `${path} has ${size} bytes: to shrink it loses data`);
      }
      await file.truncate(sizeBytes);
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (error) {
    throw error instanceof VolumeError ? error : ioErrorFrom(error, "resizing", path);
  }
}

async function inTermsOf<T>(volumeName: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    throw volumeErrorFrom(error, volumeName);
  }
}
