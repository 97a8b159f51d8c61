import { PoolError } from "../../../../src/thin/pool-error.ts";

/** The error of a pool with which something ends; anything else fails the test. */
export async function refusalOf(action: Promise<unknown>): Promise<PoolError> {
  try {
    await action;
  } catch (error) {
    if (error instanceof PoolError) return error;
    throw error;
  }
  throw new Error("it was not refused");
}
