import { setTimeout as sleep } from "node:timers/promises";
import { randomIsid } from "../../src/initiator/connect.ts";
import { Connection } from "../../src/initiator/connection.ts";
import { LoadGenerator, type Load } from "../../src/initiator/load-generator.ts";
import { login, type LoginResult } from "../../src/initiator/login.ts";
import { DEFAULT_OFFERS } from "../../src/initiator/parameters.ts";
import { testUnitReady } from "../../src/initiator/scsi.ts";
import { InitiatorSession } from "../../src/initiator/session.ts";
import type { Driver } from "./driver.ts";
import { keepAwake, openReceivingSocket } from "./receiving-socket.ts";

export interface IscsiDriverOptions {
  readonly port: number;
  readonly targetName: string;
  readonly load: Load;
  readonly digests: boolean;
  /** Goes before the load that is measured; undefined: nothing. */
  readonly warmUp: Load | undefined;
  readonly warmUpMs: number;
  /** Keeps its CPU awake while it waits for answers. */
  readonly polls: boolean;
  onFailure(error: Error): void;
}

/** A session of our own initiator, logged in and with all unit attentions behind it. */
export async function openIscsiDriver(options: IscsiDriverOptions): Promise<Driver> {
  const { load, warmUp } = options;
  const { socket, take } = await openReceivingSocket(options.port);
  const connection = new Connection(socket);
  const digest = options.digests ? "required" : "none";
  const intent = {
    initiatorName: "iqn.2026-11.net.thinlun:bench",
    targetName: options.targetName,
    sessionType: "normal",
    offers: { ...DEFAULT_OFFERS, headerDigest: digest, dataDigest: digest },
  } as const;
  const isid = randomIsid();
  const result = await login(connection, intent, { isid, tsih: 0, cid: 0 });
  const session = new InitiatorSession(connection, result, { isid, cid: 0 });
  // A new nexus begins with unit attentions, which are no failures.
  for (const lun of new Set([load.lun, ...(load.luns ?? []), warmUp?.lun ?? load.lun])) {
    await testUnitReady(session, lun);
  }
  if (options.polls) keepAwake(socket);
  const generate = (what: Load, numbers: Numbers): LoadGenerator => {
    const { cmdSn, expStatSn, maxCmdSn } = numbers;
    const agreed = { ...result, cmdSn, expStatSn, maxCmdSn };
    const made = new LoadGenerator(socket, agreed, what, (error) => options.onFailure(error));
    take((bytes, count) => made.receive(bytes, count));
    return made;
  };
  let numbers: Numbers = session.numbers;
  if (warmUp !== undefined) {
    const warming = generate(warmUp, numbers);
    warming.start();
    await sleep(options.warmUpMs);
    await warming.stop();
    numbers = warming.numbers;
  }
  const generator = generate(load, numbers);
  socket.once("close", () => options.onFailure(new Error("the target closed the connection")));
  return {
    start: () => generator.start(),
    reset: () => generator.reset(),
    get counts() {
      return generator.counts;
    },
    exhausted: generator.exhausted,
    stop: () => generator.stop(),
    close: () => {
      socket.removeAllListeners("close");
      socket.destroy();
    },
  };
}

type Numbers = Pick<LoginResult, "cmdSn" | "expStatSn" | "maxCmdSn">;
