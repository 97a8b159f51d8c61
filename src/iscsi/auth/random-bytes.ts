/** A source of unpredictable bytes (`crypto.randomBytes` in the daemon, a seeded one in tests). */
export type RandomBytes = (lengthBytes: number) => Uint8Array;
