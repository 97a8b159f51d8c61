/**
 * Just enough of the WebAssembly binary format (core specification 1.0, chapter 5) to write a small module by hand:
 * one memory, functions of i32, loads, arithmetic, one kind of loop. The bytes come out of readable TypeScript, so
 * there is neither a compiler in the build nor an opaque blob in the repository.
 */

/** An unsigned LEB128 integer (section 5.2.2). */
export function unsignedLeb(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest & 0x7f) | 0x80);
    rest >>>= 7;
  }
  bytes.push(rest);
  return bytes;
}

/** A signed LEB128 integer of 32 bits, the form in which constants are written. */
export function signedLeb(value: number): number[] {
  const bytes: number[] = [];
  let rest = value | 0;
  for (;;) {
    const low = rest & 0x7f;
    rest >>= 7;
    const last = (rest === 0 && (low & 0x40) === 0) || (rest === -1 && (low & 0x40) !== 0);
    bytes.push(last ? low : low | 0x80);
    if (last) return bytes;
  }
}

const LOOP = [0x03, 0x40] as const;
const BRANCH_IF_TO_LOOP = [0x0d, 0x00] as const;
const END = 0x0b;
const MAGIC_AND_VERSION = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00] as const;

/** Instructions (section 5.4), each as the bytes that it assembles to. Operands come first, as on the stack. */
export const wasm = {
  localGet: (index: number): number[] => [0x20, ...unsignedLeb(index)],
  localSet: (index: number): number[] => [0x21, ...unsignedLeb(index)],
  localTee: (index: number): number[] => [0x22, ...unsignedLeb(index)],
  /** The alignment is a hint of log2; 0 promises nothing. */
  load32: (offset: number): number[] => [0x28, 0x00, ...unsignedLeb(offset)],
  const32: (value: number): number[] => [0x41, ...signedLeb(value)],
  lessUnsigned: [0x49],
  add: [0x6a],
  and: [0x71],
  xor: [0x73],
  shiftLeft: [0x74],
  shiftRightUnsigned: [0x76],
  /** Repeats `body` while the i32 that it leaves on the stack is not zero. Runs it at least once. */
  loopWhile: (...body: (readonly number[])[]): number[] => [
    ...LOOP,
    ...body.flat(),
    ...BRANCH_IF_TO_LOOP,
    END,
  ],
} as const;

export interface WasmFunction {
  readonly exportName: string;
  /** How many i32 parameters; the result is one i32. */
  readonly parameterCount: number;
  /** How many i32 locals, numbered after the parameters. */
  readonly localCount: number;
  readonly body: readonly (readonly number[])[];
}

const I32 = 0x7f;

function vector(items: readonly (readonly number[])[]): number[] {
  return [...unsignedLeb(items.length), ...items.flat()];
}

function sized(bytes: readonly number[]): number[] {
  return [...unsignedLeb(bytes.length), ...bytes];
}

function section(id: number, items: readonly (readonly number[])[]): number[] {
  return [id, ...sized(vector(items))];
}

function exportEntry(name: string, kind: number, index: number): number[] {
  return [...sized([...Buffer.from(name, "ascii")]), kind, ...unsignedLeb(index)];
}

/** Assembles a module that owns a memory of `pages` 64 KiB pages, never grown, exported as "memory". */
export function assembleModule(
  pages: number,
  functions: readonly WasmFunction[],
): Uint8Array<ArrayBuffer> {
  const types = functions.map((f) => [
    0x60,
    ...vector(Array.from({ length: f.parameterCount }, () => [I32])),
    ...vector([[I32]]),
  ]);
  const codes = functions.map((f) =>
    sized([...vector([[...unsignedLeb(f.localCount), I32]]), ...f.body.flat(), END]),
  );
  return Uint8Array.from([
    ...MAGIC_AND_VERSION,
    ...section(1, types),
    ...section(
      3,
      functions.map((_, index) => unsignedLeb(index)),
    ),
    ...section(5, [[0x01, ...unsignedLeb(pages), ...unsignedLeb(pages)]]),
    ...section(7, [
      exportEntry("memory", 0x02, 0),
      ...functions.map((f, index) => exportEntry(f.exportName, 0x00, index)),
    ]),
    ...section(10, codes),
  ]);
}
