import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { type MeasuredTarget, TARGET_NAME } from "../support/targets.ts";
import type { HostAnswer, HostOperation, HostReady, HostRequest } from "./pool-host.ts";

/** A pool that is open in a process of its own; see pool-host.ts. */
export class HostedPool {
  readonly ready: HostReady;
  readonly target: MeasuredTarget;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, ready: HostReady) {
    this.#child = child;
    this.ready = ready;
    this.target = {
      name: "thin",
      port: ready.port,
      targetName: TARGET_NAME,
      lun: 0,
      cpuSeconds: () => 0,
      stop: () => this.kill(),
    };
  }

  /** `execArgv`: more options for Node.js, such as `--cpu-prof`. */
  static async start(request: HostRequest, execArgv: readonly string[] = []): Promise<HostedPool> {
    const child = fork(join(import.meta.dirname, "pool-host.ts"), [JSON.stringify(request)], {
      execArgv: ["--import", "tsx", "--expose-gc", ...execArgv],
    });
    return new HostedPool(child, await nextMessage<HostReady>(child));
  }

  /** Milliseconds that it took, as the host saw it. */
  async run(operation: HostOperation): Promise<HostAnswer> {
    this.#child.send(operation);
    const answer = await nextMessage<HostAnswer>(this.#child);
    if (answer.error !== undefined) throw new Error(`${operation.kind}: ${answer.error}`);
    return answer;
  }

  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exit = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await exit;
  }
}

async function nextMessage<Message>(child: ChildProcess): Promise<Message> {
  const ended = new AbortController();
  const exit = once(child, "exit", { signal: ended.signal }).then(([code, signal]) => {
    throw new Error(`the host of the pool has ended: ${String(code ?? signal)}`);
  });
  exit.catch(() => undefined);
  try {
    const message = once(child, "message").then(([received]) => received as Message);
    return await Promise.race([message, exit]);
  } finally {
    ended.abort();
  }
}
