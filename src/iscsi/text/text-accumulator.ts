/** Joins the pieces of a text that the C bit spread over several PDUs (RFC 7143 6.1), up to a bound. */
export class TextAccumulator {
  readonly #bytesMax: number;
  #pieces: Uint8Array[] = [];
  #lengthBytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get lengthBytes(): number {
    return this.#lengthBytes;
  }

  /** Keeps a copy of the piece: the PDU's buffer is the connection's. False, and nothing kept, past the bound. */
  append(piece: Uint8Array): boolean {
    if (this.#lengthBytes + piece.length > this.#bytesMax) return false;
    // An empty piece holds nothing, and a peer could send any number of them.
    if (piece.length === 0) return true;
    this.#pieces.push(Uint8Array.from(piece));
    this.#lengthBytes += piece.length;
    return true;
  }

  /** The whole text; the accumulator is empty afterwards. */
  take(): Uint8Array {
    const only = this.#pieces.length === 1 ? this.#pieces[0] : undefined;
    const whole = only ?? new Uint8Array(this.#lengthBytes);
    if (only === undefined) {
      let offset = 0;
      for (const piece of this.#pieces) {
        whole.set(piece, offset);
        offset += piece.length;
      }
    }
    this.clear();
    return whole;
  }

  clear(): void {
    this.#pieces = [];
    this.#lengthBytes = 0;
  }
}
