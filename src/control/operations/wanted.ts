import { assert } from "../../util/assert.ts";
import type { TargetConfig } from "../config/config.ts";
import { type ConfigDocument, writeDocument } from "../config/document.ts";
import type { Inventory } from "../config/inventory.ts";
import { parseInventory } from "../config/parse-config.ts";
import { ConfigError } from "../config/report.ts";
import { OperationError } from "../protocol.ts";

/** Where in a document a complaint is: of no use to whoever gave arguments. */
const PLACE = /^(?:portals|targets|accounts)\.1(?:\.(?:luns|auth\.accounts)\.1)?(?:\.[\w"]+)*: /;

/**
 * What arguments say in the terms of the configuration, by whose rules they are read: what may be in a file may come in arguments, and
 * nothing else.
 *
 * @throws {OperationError} invalid: everything that is wrong
 */
export function wantedOf(document: ConfigDocument): Inventory {
  const readSecretFile = (): never => {
    throw new Error("secrets come with the arguments");
  };
  try {
    const text = writeDocument(document);
    return parseInventory({ fileName: "arguments", text, folder: "/", readSecretFile });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const complaints = error.findings.map(({ message }) => complaintOf(message));
    throw new OperationError("invalid", complaints.join("; "), error);
  }
}

/** The setting that is meant, and what is wrong with it. */
function complaintOf(message: string): string {
  const place = PLACE.exec(message)?.[0];
  if (place === undefined) return message;
  const setting = place.slice(0, -2).split(".").at(-1) ?? "";
  const rest = message.slice(place.length);
  return /^\d+$/.test(setting) ? rest : `${setting}: ${rest}`;
}

/** A target, in the terms of the configuration. Errors: invalid. */
export function wantedTarget(document: ConfigDocument): TargetConfig {
  const [target] = wantedOf({ targets: [document] }).targets;
  assert(target !== undefined, "a document of one target is one target");
  return target;
}
