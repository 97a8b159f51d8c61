import { readFileSync } from "node:fs";
import { MemoryDevice } from "../../../../src/device/memory-device.ts";
import { writeBytes } from "../../../../src/util/io-request.ts";
import { EXAMPLE_SIZE_BYTES, type ExampleBlock } from "./example-pool.ts";
import { parseHexDump } from "./hex-dump.ts";

const EXAMPLE = /```text\n# (.+) at 0x([0-9a-f]+)\n([^`]+)```/g;

/** The blocks of the example, as they stand in FORMAT.md. */
export function blocksOfDocument(): ExampleBlock[] {
  const text = readFileSync(new URL("../../../../FORMAT.md", import.meta.url), "utf8");
  return [...text.matchAll(EXAMPLE)].map(([, title = "", offset = "", dump = ""]) => ({
    title,
    offsetBytes: Number.parseInt(offset, 16),
    bytes: parseHexDump(dump, 4096),
  }));
}

/** A device with these blocks, and zeros around them. */
export async function deviceWith(blocks: readonly ExampleBlock[]): Promise<MemoryDevice> {
  const device = new MemoryDevice(EXAMPLE_SIZE_BYTES, "example");
  for (const { offsetBytes, bytes } of blocks) await writeBytes(device, offsetBytes, bytes);
  return device;
}
