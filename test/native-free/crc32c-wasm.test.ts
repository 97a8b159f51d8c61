import { expect, it } from "vitest";
import { CRC32C_WINDOW_BYTES, startCrc32cWasm } from "../../native-free/crc32c-wasm.ts";
import { crc32cJavaScript } from "../../native-free/crc32c.ts";
import { SeededRandom } from "../../src/util/random.ts";

it("advances an inverted remainder over the window, up to all of it", () => {
  const module = startCrc32cWasm();
  if (module === null) throw new Error("this runtime has no WebAssembly");
  expect(module.window).toHaveLength(CRC32C_WINDOW_BYTES);
  const bytes = new SeededRandom(5).bytes(CRC32C_WINDOW_BYTES);
  module.window.set(bytes);
  for (const length of [16, 32, 4096, CRC32C_WINDOW_BYTES]) {
    const inverted = module.advance(~0x1234, length);
    expect(~inverted >>> 0).toBe(crc32cJavaScript(bytes, 0, length, 0x1234));
  }
});
