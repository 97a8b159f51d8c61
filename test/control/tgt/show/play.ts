import { connect } from "../../../../src/initiator/connect.ts";
import type { InitiatorSession } from "../../../../src/initiator/session.ts";
import { RealTgtd } from "./real-tgtd.ts";
import type { Scenario, Show } from "./scenarios.ts";
import { GOLDEN_PORT } from "./scenarios.ts";

/** What the real daemon printed for one show operation. */
export interface Printed {
  readonly show: Show;
  readonly text: string;
}

/** Runs a tgtadm command, whose words have no blanks in them, that must succeed. */
export async function must(tgtd: RealTgtd, words: string): Promise<string> {
  const { status, stdout, stderr } = await tgtd.tgtadm(...words.split(" "));
  if (status === 0 && stderr === "") return stdout;
  throw new Error(`tgtadm ${words}: status ${status}\n${stderr}${tgtd.log}`);
}

/** Brings a real tgtd into a situation, and records what it shows, with the golden port in the place of its own. */
export async function play(scenario: Scenario): Promise<Printed[]> {
  const tgtd = await RealTgtd.start();
  const sessions: InitiatorSession[] = [];
  try {
    for (const [name, size] of Object.entries(scenario.files ?? {})) tgtd.file(name, size);
    for (const step of scenario.steps ?? []) {
      await must(tgtd, step.replace("{port}", String(tgtd.port)));
    }
    for (const { name, alias, target, address = "127.0.0.1", act } of scenario.logins ?? []) {
      const session = await connect({
        address,
        port: tgtd.port,
        initiatorName: name,
        targetName: target,
        ...(alias === undefined ? {} : { initiatorAlias: alias }),
      });
      sessions.push(session);
      await act?.(session);
    }
    const printed: Printed[] = [];
    for (const show of scenario.shows) {
      const text = await must(tgtd, `--op show ${show.words}`);
      printed.push({ show, text: text.replaceAll(`:${tgtd.port},`, `:${GOLDEN_PORT},`) });
    }
    return printed;
  } finally {
    for (const session of sessions) await session.logout();
    await tgtd.dispose();
  }
}
