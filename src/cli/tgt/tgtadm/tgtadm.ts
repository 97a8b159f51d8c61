import { setTimeout as sleep } from "node:timers/promises";
import { errorMessage, exitStatus } from "../../../control/tgt/errors.ts";
import {
  encodeRequest,
  MODES,
  OPERATIONS,
  REQUEST_TEXT_BYTES_MAX,
  type TgtRequest,
} from "../../../control/tgt/request.ts";
import { toByteString } from "../byte-words.ts";
import { failure, success, wrongUse, type Ending, type Surroundings } from "../ending.ts";
import { getopt } from "../getopt.ts";
import { composeRequest } from "./compose.ts";
import { exchange, isListening, SOCKET_PATH_BYTES_MAX, type ExchangeFault } from "./exchange.ts";
import { TGTADM_OPTIONS, type Settings } from "./options.ts";
import { complaint } from "./rules.ts";
import { applyOption, emptySettings, PROGRAM } from "./settings.ts";
import { TGT_VERSION } from "../version.ts";

/** Where tgtd listens, the number of the control port behind it. */
const SOCKET = "/var/run/tgtd/socket";
const SOCKET_VARIABLE = "TGT_IPC_SOCKET";

/** ENOTCONN and ECONNRESET, which are exit statuses, too. */
const NOT_CONNECTED_STATUS = 107;
const RESET_STATUS = 104;

const NOT_CONNECTED =
  "failed to send request hdr to tgt daemon, Transport endpoint is not connected";

/**
 * What it says and how it ends without an answer. A daemon that hangs up is no failure to tgtadm 1.0.85: the end of the daemon
 * looks like that.
 */
const FAULTS: Readonly<Record<ExchangeFault, readonly [words: string, status: number]>> = {
  unreachable: [NOT_CONNECTED, NOT_CONNECTED_STATUS],
  unsent: [NOT_CONNECTED, NOT_CONNECTED_STATUS],
  reset: ["can't get the response, Connection reset by peer", RESET_STATUS],
  silent: ["tgtd closed the socket", 0],
  partial: ["a partial response", 0],
  // tgtadm waits for ever, or cannot allocate so many bytes.
  broken: ["a partial response", NOT_CONNECTED_STATUS],
};

/** How often it looks whether a daemon that was told to end is gone. */
const GONE_POLL_MS = 100;

/** Runs one command line of tgtadm. Never rejects. */
export async function tgtadm(
  words: readonly string[],
  { calledAs, variables }: Surroundings,
): Promise<Ending> {
  const isStrict = variables["POSIXLY_CORRECT"] !== undefined;
  const { given, fault, operands } = getopt(TGTADM_OPTIONS, words, isStrict);
  const settings = emptySettings();
  for (const option of given) {
    if (option.letter === "V") return success(`${TGT_VERSION}\n`);
    if (option.letter === "h") return success((await import("./help.ts")).TGTADM_HELP);
    const ending = applyOption(settings, option);
    if (ending !== undefined) return ending;
  }
  if (fault !== undefined) return wrongUse(PROGRAM, `${calledAs}: ${fault}`);
  const [operand] = operands;
  if (operand !== undefined) {
    return wrongUse(PROGRAM, `${PROGRAM}: unrecognized option '${operand}'`);
  }
  const refusal = complaint(settings);
  if (refusal !== undefined) return failure(`${PROGRAM}: ${refusal}`);
  return ask(composeRequest(settings), settings, socketPathOf(variables, settings.controlPort));
}

/** Where the daemon of a control port listens, one character a byte. */
export function socketPathOf(variables: Surroundings["variables"], controlPort: number): string {
  return `${toByteString(variables[SOCKET_VARIABLE] ?? SOCKET)}.${controlPort}`;
}

async function ask(request: TgtRequest, settings: Settings, socketPath: string): Promise<Ending> {
  if (socketPath.length > SOCKET_PATH_BYTES_MAX) {
    const lines = `management path too long: ${socketPath}\n${PROGRAM}: ${NOT_CONNECTED}`;
    return failure(`${PROGRAM}: ${lines}`, NOT_CONNECTED_STATUS);
  }
  const textBytes = request.text === undefined ? 0 : request.text.length + 1;
  if (textBytes > REQUEST_TEXT_BYTES_MAX) {
    return failedExchange((await isListening(socketPath)) ? "reset" : "unreachable");
  }
  const bytes = encodeRequest(request);
  const answer = await exchange(bytes, socketPath);
  if (typeof answer === "string") return debugged(settings, bytes, failedExchange(answer));
  if (answer.error !== 0) {
    const line = `${PROGRAM}: ${errorMessage(answer.error)}`;
    return debugged(settings, bytes, failure(line, exitStatus(answer.error)));
  }
  if (MODES[request.mode] === "system" && OPERATIONS[request.operation] === "delete") {
    while (await isListening(socketPath)) await sleep(GONE_POLL_MS);
  }
  return debugged(settings, bytes, success(answer.text));
}

/** The daemon closes a connection whose text is too long for it with bytes unread, which looks like `reset`. */
function failedExchange(fault: ExchangeFault): Ending {
  const [words, status] = FAULTS[fault];
  return failure(`${PROGRAM}: ${words}`, status);
}

/** tgtadm 1.0.85 names a function and a line of its own here; whoever reads logs may look for them. */
function debugged({ isDebug }: Settings, { length }: Uint8Array, ending: Ending): Ending {
  if (!isDebug || ending.status === NOT_CONNECTED_STATUS) return ending;
  return { ...ending, stderr: `ipc_mgmt_req 348: sent to tgtd ${length}\n${ending.stderr}` };
}
