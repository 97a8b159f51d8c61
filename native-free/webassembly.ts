/**
 * The few parts of the WebAssembly interface that are used here. The compiler knows it only as part of a browser's
 * library, which a daemon should not have in scope.
 */
export interface WebAssemblyMemory {
  readonly buffer: ArrayBuffer;
}

export interface WebAssemblyApi {
  readonly Memory: new (pages: { initial: number; maximum: number }) => WebAssemblyMemory;
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: Record<string, unknown> };
}

/** Undefined where the runtime was built or started without it (--jitless). */
export const webAssembly: WebAssemblyApi | undefined = (
  globalThis as { WebAssembly?: WebAssemblyApi }
).WebAssembly;
