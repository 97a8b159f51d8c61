import { MODES, type TgtRequest } from "../../../control/tgt/request.ts";
import type { Settings, TextLetter } from "./options.ts";
import { TAPE } from "./settings.ts";

/** Keys of the words in a request, in their order there. */
const KEYS: readonly (readonly [letter: TextLetter, key: string])[] = [
  ["b", "path"],
  ["E", "bstype"],
  ["S", "bsopts"],
  ["f", "bsoflags"],
  ["y", "blocksize"],
  ["T", "targetname"],
  ["I", "initiator-address"],
  ["Q", "initiator-name"],
  ["u", "user"],
  ["p", "password"],
];

/** What C prints for a word that is not there. */
const NO_WORD = "(null)";

/** The request for a command line that has a mode and an operation. */
export function composeRequest(settings: Settings): TgtRequest {
  const text = textOf(settings);
  return {
    mode: settings.mode ?? 0,
    operation: settings.operation ?? 0,
    driver: settings.driver,
    targetId: settings.targetId,
    sessionId: settings.sessionId,
    lun: settings.lun,
    connectionId: settings.connectionId,
    hostNumber: settings.hostNumber,
    deviceType: settings.deviceType,
    accountDirection: settings.isOutgoing ? 1 : 0,
    pack: 0,
    force: settings.isForced ? 1 : 0,
    text: text === "" ? undefined : text,
  };
}

/** Tapes have one backing store type, whatever is asked for. */
function wordsOf({ texts, deviceType }: Settings): Settings["texts"] {
  return deviceType === TAPE ? { ...texts, E: "ssc" } : texts;
}

function textOf(settings: Settings): string {
  const words = wordsOf(settings);
  const parts: string[] = [];
  if (words.n !== undefined) parts.push(`${words.n}=${words.v ?? NO_WORD}`);
  for (const [letter, key] of KEYS) {
    const word = words[letter];
    if (word !== undefined) parts.push(`${key}=${word}`);
  }
  if (words.P !== undefined) {
    const isPortal = MODES[settings.mode ?? 0] === "portal";
    parts.push(`${isPortal ? "portalOps" : "targetOps"} ${words.P},`);
  }
  return parts.join(",");
}
