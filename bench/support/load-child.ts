import { connect as connectSocket, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { randomIsid } from "../../src/initiator/connect.ts";
import { Connection } from "../../src/initiator/connection.ts";
import { LoadGenerator, type Load } from "../../src/initiator/load-generator.ts";
import { login } from "../../src/initiator/login.ts";
import { DEFAULT_OFFERS } from "../../src/initiator/parameters.ts";

/** What the parent asks for, as JSON in the first argument. */
export interface LoadRequest {
  readonly port: number;
  readonly targetName: string;
  readonly load: Load;
  /** Goes before the load that is measured; undefined: the load itself, of which the first is not counted. */
  readonly warmUp?: Load;
  readonly warmUpMs: number;
  readonly measureMs: number;
  /** Keeps its CPU awake while it waits for answers. */
  readonly polls: boolean;
}

/** What the child prints when it is about to begin, as a line of its own. */
const STARTED = "started";

/** What the child prints at the end, as one line of JSON. */
export interface LoadReport {
  /** Of the time that was measured. */
  readonly commands: number;
  /** With those of the warming up. */
  readonly commandsInAll: number;
  readonly commandsPerSecond: number;
  readonly meanUs: number;
  readonly medianUs: number;
  readonly p99Us: number;
}

const RECEIVE_BYTES = 1024 * 1024;

/** A socket that receives into one buffer; `receive` is exchanged once the login is over. */
function openSocket(port: number): Promise<{ socket: Socket; take: (receive: Receive) => void }> {
  return new Promise((resolve, reject) => {
    const buffer = Buffer.allocUnsafe(RECEIVE_BYTES);
    let receive: Receive | null = null;
    const socket: Socket = connectSocket({
      host: "127.0.0.1",
      port,
      onread: {
        buffer,
        callback: (count) => {
          if (receive === null) socket.emit("data", Buffer.from(buffer.subarray(0, count)));
          else receive(buffer, count);
          return true;
        },
      },
    });
    socket.once("error", reject);
    socket.once("connect", () => resolve({ socket, take: (next) => void (receive = next) }));
  });
}

/** The event loop never waits until the socket is closed. */
function keepAwake(socket: Socket): void {
  const again = (): void => {
    if (!socket.destroyed) setImmediate(again);
  };
  again();
}

async function warmUp(
  generator: LoadGenerator,
  durationMs: number,
): Promise<{ readonly cmdSn: number; readonly expStatSn: number }> {
  generator.start();
  await sleep(durationMs);
  await generator.stop();
  return generator.numbers;
}

type Receive = (bytes: Buffer, count: number) => void;

async function main(): Promise<void> {
  const request = JSON.parse(process.argv[2] ?? "") as LoadRequest;
  const { socket, take } = await openSocket(request.port);
  const connection = new Connection(socket);
  const intent = {
    initiatorName: "iqn.2026-11.net.thinlun:bench",
    targetName: request.targetName,
    sessionType: "normal",
    offers: DEFAULT_OFFERS,
  } as const;
  const result = await login(connection, intent, { isid: randomIsid(), tsih: 0, cid: 0 });
  // A new nexus begins with a unit attention, which is no failure.
  const fetch = new (await import("../../src/initiator/session.ts")).InitiatorSession(
    connection,
    result,
    { isid: "", cid: 0 },
  );
  const testUnitReady = new Uint8Array(6);
  for (let count = 0; count < 4; count += 1) {
    await fetch.execute({ lun: request.load.lun, cdb: testUnitReady });
    if (request.warmUp !== undefined) {
      await fetch.execute({ lun: request.warmUp.lun, cdb: testUnitReady });
    }
  }
  const fail = (error: Error): void => {
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  };
  const generate = (
    load: Load,
    { cmdSn, expStatSn }: { readonly cmdSn: number; readonly expStatSn: number },
  ): LoadGenerator => {
    const made = new LoadGenerator(socket, { ...result, cmdSn, expStatSn }, load, fail);
    take((bytes, count) => made.receive(bytes, count));
    return made;
  };
  if (request.polls) keepAwake(socket);
  const numbers =
    request.warmUp === undefined
      ? fetch.numbers
      : await warmUp(generate(request.warmUp, fetch.numbers), request.warmUpMs);
  const generator = generate(request.load, numbers);
  process.stdout.write(`${STARTED}\n`);
  generator.start();
  if (request.warmUp === undefined) await sleep(request.warmUpMs);
  const commandsBefore = request.warmUp === undefined ? generator.counts.commands : 0;
  if (request.warmUp === undefined) generator.reset();
  // The timer must not keep the process when the other is first; the socket does until then.
  const over = sleep(request.measureMs, undefined, { ref: false });
  await Promise.race([over, generator.exhausted]);
  const { commands, elapsedMs, latencyUs } = generator.counts;
  await generator.stop();
  socket.destroy();
  const commandsPerSecond = (commands * 1000) / elapsedMs;
  const report: LoadReport = {
    commands,
    commandsInAll: commandsBefore + commands,
    commandsPerSecond,
    meanUs: (request.load.queueDepth * 1e6) / commandsPerSecond,
    medianUs: latencyUs(0.5),
    p99Us: latencyUs(0.99),
  };
  process.stdout.write(`${JSON.stringify(report)}\n`);
}

await main();
