import { CRC32C_TABLES, SLICES } from "./crc32c-tables.ts";
import { webAssembly, type WebAssemblyMemory } from "./webassembly.ts";
import { assembleModule, wasm } from "./wasm-assembler.ts";

/**
 * How much is copied into the module's memory at a time. Small enough that the copy is still in the second-level
 * cache when the checksum reads it, large enough that the call costs nothing by comparison.
 */
export const CRC32C_WINDOW_BYTES: number = 64 * 1024;

const WINDOW_OFFSET = SLICES * 1024;
const PAGE_BYTES = 64 * 1024;

/** Advances an inverted CRC over the first `lengthBytes` (a positive multiple of 16) of the window. */
export type AdvanceWindow = (inverted: number, lengthBytes: number) => number;

export interface Crc32cWasm {
  readonly window: Uint8Array;
  readonly advance: AdvanceWindow;
}

// Parameters and locals of the function, by index.
const CRC = 0;
const END = 1;
const POSITION = 2;
const WORD = 3;

/** One table lookup: the remainder of byte `index` of the 16, which is byte `index % 4` of the local `word`. */
function lookup(word: number, index: number): number[] {
  const table = (SLICES - 1 - index) * 1024;
  const shift = 8 * (index % 4) - 2;
  return [
    ...wasm.localGet(word),
    ...(shift < 0
      ? [...wasm.const32(-shift), ...wasm.shiftLeft]
      : [...wasm.const32(shift), ...wasm.shiftRightUnsigned]),
    ...wasm.const32(0x3fc),
    ...wasm.and,
    ...wasm.load32(table),
  ];
}

/** The 16 lookups of one step. The 12 that do not hang on the previous step come first, to overlap with it. */
function step(): number[] {
  const code: number[] = [];
  for (let word = 3; word >= 0; word -= 1) {
    code.push(...wasm.localGet(POSITION), ...wasm.load32(WINDOW_OFFSET + 4 * word));
    if (word === 0) code.push(...wasm.localGet(CRC), ...wasm.xor);
    code.push(...wasm.localSet(WORD + word));
    for (let byte = 0; byte < 4; byte += 1) {
      code.push(...lookup(WORD + word, 4 * word + byte));
      if (word !== 3 || byte !== 0) code.push(...wasm.xor);
    }
  }
  code.push(...wasm.localSet(CRC));
  return code;
}

/** Builds and starts the module. Null where the runtime has no WebAssembly, or refuses it (for example --jitless). */
export function startCrc32cWasm(): Crc32cWasm | null {
  if (webAssembly === undefined) return null;
  const bytes = assembleModule((WINDOW_OFFSET + CRC32C_WINDOW_BYTES) / PAGE_BYTES + 1, [
    {
      exportName: "advance",
      parameterCount: 2,
      localCount: 5,
      body: [
        wasm.loopWhile(
          step(),
          wasm.localGet(POSITION),
          wasm.const32(SLICES),
          wasm.add,
          wasm.localTee(POSITION),
          wasm.localGet(END),
          wasm.lessUnsigned,
        ),
        wasm.localGet(CRC),
      ],
    },
  ]);
  try {
    const { exports } = new webAssembly.Instance(new webAssembly.Module(bytes));
    const memory = (exports["memory"] as WebAssemblyMemory).buffer;
    new Int32Array(memory, 0, CRC32C_TABLES.length).set(CRC32C_TABLES);
    return {
      window: new Uint8Array(memory, WINDOW_OFFSET, CRC32C_WINDOW_BYTES),
      advance: exports["advance"] as AdvanceWindow,
    };
  } catch {
    return null;
  }
}
