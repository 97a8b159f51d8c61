import type { TgtDocument } from "../../../control/protocol.ts";
import { clientOf } from "./client-of.ts";
import { AdminEnd, type Runner } from "./runner.ts";
import { shownDocument } from "./shown-document.ts";
import { parseShownTargets } from "./shown-target.ts";
import { targetsConfText } from "./targets-conf-text.ts";
import type { AdminWorld } from "./world.ts";

/** ENOTCONN, the status of tgtadm where no daemon answers: an empty dump would overwrite a good one. */
const NO_DAEMON_STATUS = 107;

/** Prints what the daemon has in the form of targets.conf. */
export async function dump(runner: Runner, world: AdminWorld, withSecrets: boolean): Promise<void> {
  const client = await clientOf(runner, world);
  if (client === null) {
    if (withSecrets) world.complain("tgt-admin: tgtd tells nobody its passwords\n");
    world.print(targetsConfText(await readDocument(runner)));
    return;
  }
  const document = await client.call("tgt/dump", { withSecrets });
  await client.close();
  world.print(targetsConfText(document));
}

/** What a daemon of tgt tells of what it has. Throws {@link AdminEnd} where none answers. */
export async function readDocument(runner: Runner): Promise<TgtDocument> {
  const system = await runner.show("sys");
  if (system === "") throw new AdminEnd(NO_DAEMON_STATUS);
  const targets = parseShownTargets(await runner.show("target"));
  const parametersOf = new Map<string, string>();
  for (const { name, tid } of targets) {
    parametersOf.set(name, await runner.show("target", "--tid", tid));
  }
  const accounts = await runner.show("account");
  return shownDocument({ targets, parametersOf, system, accounts });
}
