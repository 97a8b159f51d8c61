/** Thrown by {@link assert}: a defect of this program, never a condition of its inputs. Nobody catches it. */
export class AssertionError extends Error {
  override readonly name = "AssertionError";
}

/**
 * States what must be true here. Stays on in production: a storage daemon that goes on with a broken
 * invariant writes it to disk. `message` is a literal, so that the check costs one branch.
 */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new AssertionError(message);
}

/** Marks the branch that the types rule out. */
export function unreachable(value: never): never {
  throw new AssertionError(`unreachable: ${String(value)}`);
}
