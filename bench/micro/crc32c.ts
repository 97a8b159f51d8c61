import { crc32c, crc32cJavaScript } from "../../native-free/crc32c.ts";
import { SeededRandom } from "../../src/util/random.ts";
import type { MicroBench, MicroCase } from "./runner.ts";

/** A basic header segment, blocks, and large data segments. */
const SIZES_BYTES = [48, 128, 256, 512, 4096, 65_536, 262_144];

function casesOf(size: number): MicroCase[] {
  const bytes = new SeededRandom(size).bytes(size);
  const expected = crc32cJavaScript(bytes, 0, size);
  const shape = { bytes: size, expected };
  return [
    { ...shape, name: `${size} bytes`, run: () => crc32c(bytes, 0, size) },
    {
      ...shape,
      name: `${size} bytes, JavaScript only`,
      run: () => crc32cJavaScript(bytes, 0, size),
    },
  ];
}

export const crc32cBench: MicroBench = {
  name: "crc32c",
  about: "checksums of headers, blocks and data segments",
  prepare: () => ({ cases: SIZES_BYTES.flatMap(casesOf) }),
};
