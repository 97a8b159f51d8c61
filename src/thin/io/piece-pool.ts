import { ChangePiece } from "./change-piece.ts";
import { FREE_OBJECTS_MAX } from "./limits.ts";
import type { VolumeCore } from "./volume-core.ts";

/** Pieces that are used again. */
export class PiecePool {
  readonly #core: VolumeCore;
  readonly #free: ChangePiece[] = [];

  constructor(core: VolumeCore) {
    this.#core = core;
  }

  take(): ChangePiece {
    return this.#free.pop() ?? new ChangePiece(this.#core);
  }

  put(piece: ChangePiece): void {
    if (this.#free.length < FREE_OBJECTS_MAX) this.#free.push(piece);
  }
}
