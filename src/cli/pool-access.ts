import { controlSocketPath, OperationError, stateFolder } from "../control/protocol.ts";
import { ControlClient, type Operations } from "./control-client.ts";

/** What all commands on pools can be told. */
export interface AccessOptions {
  readonly "state-dir": string | undefined;
  readonly device: string[] | undefined;
}

export const STATE_OPTION = {
  "state-dir": {
    type: "string",
    requiresArg: true,
    describe: "The daemon's folder, where its control socket is",
  },
} as const;

export const DEVICE_OPTION = {
  device: {
    type: "string",
    array: true,
    requiresArg: true,
    describe: "Work on a pool's device or image without a daemon; give each of them",
  },
} as const;

export const JSON_OPTION = {
  json: { type: "boolean", default: false, describe: "Print JSON" },
} as const;

export const ACCESS_OPTIONS: typeof STATE_OPTION & typeof DEVICE_OPTION = {
  ...STATE_OPTION,
  ...DEVICE_OPTION,
};

/** What may be done where no daemon answers. */
const WITHOUT_DAEMON = ", or give the pool's devices with --device to work without one";

/** The devices that are given; a command that needs some asks for them. */
export function devicesOf({ device }: Pick<AccessOptions, "device">): readonly string[] {
  return device ?? [];
}

/** Does something with the daemon's pools, or, where devices are given, with the pool on these. */
export async function withOperations<Result>(
  options: AccessOptions,
  work: (operations: Operations) => Promise<Result>,
): Promise<Result> {
  const stateDir = options["state-dir"] ?? null;
  const operations =
    devicesOf(options).length === 0
      ? new ControlClient(controlSocketPath(stateDir), WITHOUT_DAEMON)
      : await openOffline(devicesOf(options), stateFolder(stateDir));
  return closing(operations, work);
}

/** Does something with operations, and closes them. */
export async function closing<Result>(
  operations: Operations,
  work: (operations: Operations) => Promise<Result>,
): Promise<Result> {
  let result: Result;
  try {
    result = await work(operations);
  } catch (error) {
    // The first error is the one to tell.
    await operations.close().catch(() => undefined);
    throw error;
  }
  await operations.close();
  return result;
}

async function openOffline(devices: readonly string[], stateDir: string): Promise<Operations> {
  // Loaded here, so that other commands do not pay for the engine.
  const { openPool } = await import("../offline.ts");
  try {
    return await openPool(devices, stateDir);
  } catch (error) {
    if (!(error instanceof OperationError) || error.kind !== "busy") throw error;
    throw new OperationError(
      "busy",
      `${error.message}; if a daemon has the pool, leave --device out to ask it`,
      error,
    );
  }
}
