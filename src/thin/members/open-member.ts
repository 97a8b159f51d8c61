import { FileLockedError } from "../../../native-free/file-lock.ts";
import { FileDevice, type FileDeviceOptions } from "../../device/file-device.ts";
import { IoError } from "../../util/io-error.ts";
import { formatSize } from "../../util/units.ts";
import { PoolError } from "../pool-error.ts";
import { inspectPath, type SystemFolders } from "./claim.ts";
import { MEMBER_BYTES_MIN } from "./limits.ts";

export interface OpenMemberOptions {
  readonly readOnly?: boolean;
  /** Past the page cache. */
  readonly direct?: boolean;
  readonly folders?: SystemFolders;
}

/** Everything that opening a device can throw, as an error of a pool. */
export function memberErrorFrom(error: unknown, path: string): PoolError {
  if (error instanceof PoolError) return error;
  if (error instanceof FileLockedError) return new PoolError("busy", error.message, error);
  if (error instanceof IoError) {
    if (error.kind === "gone") return new PoolError("missing", error.message, error);
    if (error.kind === "unsupported") return new PoolError("unsupported", error.message, error);
    return new PoolError("io", error.message, error);
  }
  const reason = error instanceof Error ? error.message : String(error);
  return new PoolError("io", `${path} cannot be opened: ${reason}`, error);
}

/**
 * Opens a file or device for a pool, for this process alone: O_EXCL on a block device keeps mounts, arrays and other daemons
 * away, the lock a second opening, both until the last descriptor is closed. A holder that is just exiting is given some time.
 *
 * @throws {PoolError} as {@link inspectPath} has them; `busy`: somebody has it; `invalid`: too small; `io`
 */
export async function openForPool(
  path: string,
  options: OpenMemberOptions = {},
): Promise<FileDevice> {
  const { readOnly = false, direct = false, folders } = options;
  await (folders === undefined ? inspectPath(path) : inspectPath(path, folders));
  const deviceOptions: FileDeviceOptions = { readOnly, direct };
  let device: FileDevice;
  try {
    device = await FileDevice.open(path, deviceOptions);
  } catch (error) {
    throw memberErrorFrom(error, path);
  }
  if (device.capacityBytes >= MEMBER_BYTES_MIN) return device;
  const size = formatSize(device.capacityBytes);
  await device.close();
  const message = `${path} is too small for a pool: ${size}, at least ${formatSize(MEMBER_BYTES_MIN)} are needed`;
  throw new PoolError("invalid", message);
}
