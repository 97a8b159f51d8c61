/**
 * CRC32C over the sizes that matter: a basic header segment, a block, a large data segment.
 *
 *     npx tsx bench/micro/crc32c.ts
 */
import Benchmark from "benchmark";
import { crc32c, crc32cJavaScript } from "../../native-free/crc32c.ts";

const SIZES_BYTES = [48, 128, 256, 512, 4096, 65_536, 262_144];

const suite = new Benchmark.Suite();
for (const size of SIZES_BYTES) {
  const bytes = Buffer.alloc(size);
  for (let index = 0; index < size; index += 1) bytes[index] = (index * 131) >>> 3;
  const report = (event: Benchmark.Event): void => {
    const { name, hz } = event.target;
    const nanoseconds = 1e9 / (hz ?? NaN);
    process.stdout.write(
      `${String(name)}: ${nanoseconds.toFixed(0)} ns, ${(size / nanoseconds).toFixed(2)} GB/s\n`,
    );
  };
  const options = { maxTime: 0.5, onComplete: report };
  suite.add(`${size} bytes, crc32c`, () => crc32c(bytes, 0, size), options);
  suite.add(`${size} bytes, JavaScript only`, () => crc32cJavaScript(bytes, 0, size), options);
}
suite.run();
