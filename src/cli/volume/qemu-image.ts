import { open } from "node:fs/promises";
import { runChild } from "../../../native-free/child-process.ts";
import { OperationError } from "../../control/protocol.ts";

/** Images of QEMU's own format, by its tool: where that is not installed, there is raw. */

const TOOL = "qemu-img";

/** A day: an image of some TiB on a slow disk. */
const CONVERT_MS_MAX: number = 24 * 60 * 60 * 1000;

/** "QFI" and 0xfb (qcow2 specification, header bytes 0 to 3). */
const QCOW_MAGIC: Buffer = Buffer.from([0x51, 0x46, 0x49, 0xfb]);

/** Whether a file begins as an image of QEMU's format. */
export async function isQcow(path: string): Promise<boolean> {
  const file = await open(path, "r");
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(QCOW_MAGIC.length), 0, 4, 0);
    return bytesRead === QCOW_MAGIC.length && buffer.equals(QCOW_MAGIC);
  } finally {
    await file.close();
  }
}

interface RunOptions {
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

async function qemuImage(args: readonly string[], options: RunOptions = {}): Promise<string> {
  const result = await runChild(TOOL, args, options);
  options.signal?.throwIfAborted();
  if (result.outcome === "missing") {
    throw new OperationError(
      "unsupported",
      `${TOOL} is not installed, and qcow2 needs it (Debian: apt-get install qemu-utils); raw images go without`,
    );
  }
  if (result.outcome === "exited" && result.exitCode === 0) return result.stdout;
  const reason = result.stderr.trim() || result.outcome;
  throw new OperationError("io", `${TOOL} ${args[0] ?? ""}: ${reason}`);
}

/** Errors: unsupported: the tool is not there. */
export async function needQemuImage(): Promise<void> {
  await qemuImage(["--version"]);
}

interface ImageInfo {
  readonly "backing-filename"?: unknown;
  readonly "format-specific"?: { readonly data?: { readonly "data-file"?: unknown } };
}

/**
 * Refuses an image that has part of its data in other files: it names them by itself, and whoever made it could name any file
 * of this host.
 */
export async function refuseOtherFiles(path: string): Promise<void> {
  const text = await qemuImage(["info", "--output=json", "-f", "qcow2", "--", path]);
  const info = JSON.parse(text) as ImageInfo;
  const other = info["backing-filename"] ?? info["format-specific"]?.data?.["data-file"];
  if (other === undefined) return;
  throw new OperationError(
    "unsupported",
    `${path} has part of its data in ${JSON.stringify(other)}: make it whole first (${TOOL} convert -O qcow2)`,
  );
}

/** Converts an image; `target` must not exist. Aborted, the tool is killed, and its target is the caller's to remove. */
export async function convertImage(
  source: { readonly path: string; readonly format: "raw" | "qcow2" },
  target: { readonly path: string; readonly format: "raw" | "qcow2" },
  signal: AbortSignal,
): Promise<void> {
  const formats = ["-f", source.format, "-O", target.format];
  await qemuImage(["convert", ...formats, "--", source.path, target.path], {
    timeoutMs: CONVERT_MS_MAX,
    signal,
  });
}
