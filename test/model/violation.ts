/** The model broke a promise: what the walk is looking for. */
export class Violation extends Error {
  override readonly name = "Violation";
}

/** A flush failed and the pool stopped: an event of the model, not a finding. */
export class FlushFailed extends Error {
  override readonly name = "FlushFailed";
}
