import { type FileHandle, open, rename, unlink } from "node:fs/promises";
import { dirname } from "node:path";
import type { CommandModule } from "yargs";
import {
  DATA_BYTES_MAX,
  type ExtentsReply,
  OperationError,
  type RangeArguments,
  type Progress,
  type VolumeReport,
} from "../../control/protocol.ts";
import { syncFolder } from "../../util/sync-folder.ts";
import { formatSize } from "../../util/units.ts";
import type { Operations } from "../control-client.ts";
import { Interrupt } from "../interrupt.ts";
import { print } from "../output.ts";
import { ACCESS_OPTIONS, JSON_OPTION, withOperations } from "../pool-access.ts";
import { ProgressLine, withProgressLine } from "../progress-line.ts";
import { parseVolumePath, type VolumePath } from "../volume-path.ts";
import { VOLUME_POSITIONAL, type VolumeArguments } from "./change.ts";
import { convertImage, needQemuImage } from "./qemu-image.ts";
import { writeSparse } from "./sparse-file.ts";

type ImageFormat = "raw" | "qcow2";

interface ExportArguments extends VolumeArguments {
  readonly file: string;
  readonly format: ImageFormat;
}

export interface ExportOptions {
  readonly file: string;
  readonly format: ImageFormat;
  /** Aborted, it ends in order, and nothing is left of it. */
  readonly signal: AbortSignal;
  readonly onProgress: (doneBytes: number, totalBytes: number) => void;
}

function fileError(file: string, error: unknown): unknown {
  if (!(error instanceof Error) || !("code" in error)) return error;
  if (error.code === "EEXIST") {
    return new OperationError("exists", `${file} is there already, and is not overwritten`, error);
  }
  const kind = error.code === "ENOSPC" ? "space" : "io";
  return new OperationError(kind, `${file}: ${error.message}`, error);
}

/** Copies what is mapped, at its place. */
async function copyOut(
  operations: Operations,
  path: VolumePath,
  sizeBytes: number,
  { file, options }: { readonly file: FileHandle; readonly options: ExportOptions },
): Promise<void> {
  await file.truncate(sizeBytes);
  let at: number | null = 0;
  while (at !== null) {
    const range: RangeArguments = { ...path, offsetBytes: at, lengthBytes: sizeBytes - at };
    const page: ExtentsReply = await operations.call("volume/extents", range);
    for (const { offsetBytes, lengthBytes, mapped } of page.extents) {
      const end = offsetBytes + lengthBytes;
      for (let offset = offsetBytes; mapped && offset < end; offset += DATA_BYTES_MAX) {
        options.signal.throwIfAborted();
        const length = Math.min(DATA_BYTES_MAX, end - offset);
        const piece = { ...path, offsetBytes: offset, lengthBytes: length };
        const bytes = await operations.call("volume/read", piece);
        await writeSparse(file, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), offset);
        options.onProgress(offset + length, sizeBytes);
      }
      options.onProgress(end, sizeBytes);
    }
    at = page.nextOffsetBytes;
  }
  await file.sync();
}

async function exportRaw(
  operations: Operations,
  { pool, name, sizeBytes }: VolumeReport,
  target: string,
  options: ExportOptions,
): Promise<void> {
  let file: FileHandle;
  try {
    // Only the owner may read what was somebody's disk.
    file = await open(target, "wx", 0o600);
  } catch (error) {
    throw fileError(options.file, error);
  }
  try {
    await copyOut(operations, { pool, volume: name }, sizeBytes, { file, options });
    await file.close();
    await syncFolder(dirname(target));
  } catch (error) {
    await file.close().catch(() => undefined);
    await unlink(target).catch(() => undefined);
    throw fileError(target, error);
  }
}

/** By way of a raw image beside the target. */
async function exportQcow(
  operations: Operations,
  volume: VolumeReport,
  options: ExportOptions,
): Promise<void> {
  const { file } = options;
  const [raw, part] = [`${file}.raw.part`, `${file}.part`];
  // Its name is taken first, and without a hole for somebody else's file.
  const taken = await open(file, "wx", 0o600).catch((error: unknown) => {
    throw fileError(file, error);
  });
  await taken.close();
  try {
    await exportRaw(operations, volume, raw, options);
    await convertImage(
      { path: raw, format: "raw" },
      { path: part, format: "qcow2" },
      options.signal,
    );
    const made = await open(part, "r+");
    try {
      await made.chmod(0o600);
      await made.sync();
    } finally {
      await made.close();
    }
    await rename(part, file);
    await syncFolder(dirname(file));
  } catch (error) {
    await unlink(part).catch(() => undefined);
    await unlink(file).catch(() => undefined);
    throw fileError(file, error);
  } finally {
    await unlink(raw).catch(() => undefined);
  }
}

/** Writes a volume to a new image file: of one that can be written, as it is at this moment. */
export async function exportVolume(
  operations: Operations,
  path: VolumePath,
  options: ExportOptions,
): Promise<VolumeReport> {
  if (options.format === "qcow2") await needQemuImage();
  const volume = await operations.call("volume/show", path);
  const still = volume.readOnly ? volume : await freeze(operations, path);
  try {
    if (options.format === "raw") await exportRaw(operations, still, options.file, options);
    else await exportQcow(operations, still, options);
  } finally {
    if (still !== volume) {
      const { pool, name } = still;
      await operations.call("snapshot/delete", { pool, volume: name });
    }
  }
  return volume;
}

/** A snapshot for the time of the export. */
async function freeze(operations: Operations, { pool, volume }: VolumePath): Promise<VolumeReport> {
  const name = `${volume}.export-${Date.now()}`;
  const [made] = await operations.call("snapshot/create", { pool, copies: [{ volume, name }] });
  if (made === undefined) throw new OperationError("internal", "no snapshot was made");
  return made;
}

async function run(args: ExportArguments): Promise<void> {
  const interrupt = new Interrupt();
  const { file, format } = args;
  const copy = (advance: (progress: Progress) => void): Promise<VolumeReport> =>
    withOperations(args, (operations) =>
      exportVolume(operations, parseVolumePath(args.volume), {
        file,
        format,
        signal: interrupt.signal,
        onProgress: (done, total) => advance({ step: "Exporting", done, total }),
      }),
    );
  try {
    const volume = await withProgressLine(copy, new ProgressLine({ inBytes: true }));
    const size = formatSize(volume.sizeBytes);
    const result = { file, format, sizeBytes: volume.sizeBytes, volume: volume.uuid };
    print(result, args.json, () => `${args.volume} (${size}) is in ${file}.\n`);
  } finally {
    interrupt.release();
  }
}

/** `thinlun volume export`, also while it is served. */
export const exportCommand: CommandModule<object, ExportArguments> = {
  command: "export <volume> <file>",
  describe: "Write a volume or snapshot to an image file, also while it is served",
  builder: (yargs) =>
    yargs
      .positional("volume", VOLUME_POSITIONAL)
      .positional("file", { type: "string", demandOption: true, describe: "It must not exist" })
      .option("format", {
        choices: ["raw", "qcow2"] as const,
        default: "raw" as const,
        describe: "raw is sparse; qcow2 needs qemu-img",
      })
      .options(ACCESS_OPTIONS)
      .options(JSON_OPTION)
      .example("$0 volume export tank/disk1@monday monday.img", "A snapshot")
      .example("$0 volume export tank/disk1 disk1.qcow2 --format qcow2", "As it is at this moment"),
  handler: run,
};
