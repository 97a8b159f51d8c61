import { rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { stringify } from "yaml";
import { afterEach, expect, test } from "vitest";
import { ControlClient } from "../../../src/cli/control-client.ts";
import { controlSocketPath, OperationError } from "../../../src/control/protocol.ts";
import { chooseSeed, SeededRandom } from "../../../src/util/random.ts";
import { Daemon } from "../../support/daemon.ts";
import { KILLS } from "../amount.ts";

/*
 * The daemon is killed while commands change what it has. Afterwards everything that was answered is there, and what was not answered is
 * there as a whole or not at all.
 */

/** Commands of one life; the daemon is killed in the last of them, or soon after. */
const COMMANDS_MAX = 8;
/** Commands that write the state several times take as long on a disk. */
const FATAL_MS_MAX = 60;

const MIB = 1024 * 1024;
const TARGETS = ["a", "b", "c"].map((name) => `iqn.2026-11.net.example:${name}`);
const VOLUMES = ["v0", "v1", "v2", "v3"];

/** What commands have made: LUNs by target, and the volumes of the pool. */
interface Made {
  readonly targets: ReadonlyMap<string, ReadonlyMap<number, string>>;
  readonly volumes: ReadonlySet<string>;
}

const NOTHING: Made = { targets: new Map(), volumes: new Set() };

/** One command, and what it leaves of what there was; null: it would be refused. */
interface Command {
  readonly text: string;
  readonly run: (client: ControlClient) => Promise<unknown>;
  readonly after: (made: Made) => Made | null;
}

function withTarget(made: Made, name: string, luns: ReadonlyMap<number, string>): Made {
  return { ...made, targets: new Map(made.targets).set(name, luns) };
}

function createTarget(target: string): Command {
  return {
    text: `create ${target}`,
    run: (client) => client.call("target/create", { name: target }),
    after: (made) => (made.targets.has(target) ? null : withTarget(made, target, new Map())),
  };
}

function deleteTarget(target: string): Command {
  return {
    text: `delete ${target}`,
    run: (client) => client.call("target/delete", { target }),
    after: (made) => {
      const targets = new Map(made.targets);
      return targets.delete(target) ? { ...made, targets } : null;
    },
  };
}

function map(target: string, lun: number, volume: string): Command {
  return {
    text: `map ${target} ${lun} ${volume}`,
    run: (client) => client.call("target/map", { target, volume: `tank/${volume}`, lun }),
    after: (made) => {
      const luns = made.targets.get(target);
      if (luns === undefined || luns.has(lun) || !made.volumes.has(volume)) return null;
      if ([...luns.values()].includes(volume)) return null;
      return withTarget(made, target, new Map(luns).set(lun, volume));
    },
  };
}

function unmap(target: string, lun: number): Command {
  return {
    text: `unmap ${target} ${lun}`,
    run: (client) => client.call("target/unmap", { target, lun }),
    after: (made) => {
      const luns = new Map(made.targets.get(target));
      return luns.delete(lun) ? withTarget(made, target, luns) : null;
    },
  };
}

function createVolume(volume: string): Command {
  return {
    text: `create ${volume}`,
    run: (client) => client.call("volume/create", { pool: "tank", volume, sizeBytes: MIB }),
    after: (made) =>
      made.volumes.has(volume) ? null : { ...made, volumes: new Set(made.volumes).add(volume) },
  };
}

function deleteVolume(volume: string): Command {
  return {
    text: `delete ${volume}`,
    run: (client) => client.call("volume/delete", { pool: "tank", volume }),
    after: (made) => {
      const isMapped = [...made.targets.values()].some((luns) =>
        [...luns.values()].includes(volume),
      );
      const volumes = new Set(made.volumes);
      return isMapped || !volumes.delete(volume) ? null : { ...made, volumes };
    },
  };
}

/** With all LUNs that lead to it. */
function renameVolume(volume: string, name: string): Command {
  return {
    text: `rename ${volume} ${name}`,
    run: (client) => client.call("volume/rename", { pool: "tank", volume, name }),
    after: (made) => {
      if (!made.volumes.has(volume)) return null;
      if (volume === name) return made;
      const isTaken = [...made.targets.values()].some((luns) => [...luns.values()].includes(name));
      if (made.volumes.has(name) || isTaken) return null;
      const after = (one: string): string => (one === volume ? name : one);
      return {
        volumes: new Set(Array.from(made.volumes, after)),
        targets: new Map(
          Array.from(made.targets, ([target, luns]) => [
            target,
            new Map(Array.from(luns, ([lun, one]) => [lun, after(one)])),
          ]),
        ),
      };
    },
  };
}

/** Two new volumes and a target for them, at once. Each time under other names: a name is one disk for good. */
function apply(number: number): Command {
  const target = `iqn.2026-11.net.example:applied-${number}`;
  const names = [`x${number}`, `y${number}`];
  const volumes = Object.fromEntries(
    names.map((name) => [
      `tank/${name}`,
      { driver: "thin", pool: "tank", name, size: "1MiB", create: true },
    ]),
  );
  const luns = names.map((name, lun) => ({ lun, volume: `tank/${name}` }));
  const document = stringify({ volumes, targets: [{ name: target, luns }] });
  return {
    text: `apply ${number}`,
    run: (client) => client.call("system/apply", { document }),
    after: (made) => ({
      targets: new Map(made.targets).set(target, new Map(names.map((name, lun) => [lun, name]))),
      volumes: new Set([...made.volumes, ...names]),
    }),
  };
}

let daemon: Daemon | undefined;

afterEach(async () => {
  await daemon?.dispose();
  daemon = undefined;
});

function clientOf({ folder }: Daemon): ControlClient {
  return new ControlClient(controlSocketPath(join(folder, "state")));
}

/** Whether nobody was there to answer, or to answer any more. */
function isGone(error: unknown): boolean {
  if (!(error instanceof OperationError)) throw error;
  return error.kind === "io" || error.message.startsWith("no daemon answers");
}

/** Waits for a daemon that listens to initiators already. */
async function answering(client: ControlClient): Promise<void> {
  for (let attempts = 1; ; attempts += 1) {
    try {
      await client.call("system/status", {});
      return;
    } catch (error) {
      if (!isGone(error) || attempts > 200) throw error;
      await sleep(50);
    }
  }
}

/** What there is, as the daemon tells it. */
async function look(client: ControlClient): Promise<Made> {
  await answering(client);
  const targets = await client.call("target/list", {});
  const luns = await client.call("lun/list", {});
  const volumes = await client.call("volume/list", { pool: "tank" });
  return {
    targets: new Map(
      targets.map(({ name }) => {
        const own = luns.filter((lun) => lun.target === name);
        return [name, new Map(own.map(({ lun, volume }) => [lun, volume.replace("tank/", "")]))];
      }),
    ),
    volumes: new Set(volumes.map(({ name }) => name)),
  };
}

/** In an order that does not matter. */
function plain({ targets, volumes }: Made): unknown {
  const luns = [...targets].flatMap(([name, own]) =>
    [...own].map((lun) => [name, ...lun].join(" ")),
  );
  const order = (list: Iterable<string>): string[] =>
    [...list].toSorted((a, b) => (a < b ? -1 : 1));
  return { targets: order(targets.keys()), luns: order(luns), volumes: order(volumes) };
}

test("a daemon that is killed amid commands has what it had answered, and of the last one all or nothing", async () => {
  const wanted = Math.ceil(KILLS / 10);
  const seed = chooseSeed(process.env);
  console.log(`THINLUN_SEED=${seed}`);
  const random = new SeededRandom(seed);
  const pick = <T>(list: readonly T[]): T => list[random.below(list.length)] as T;
  daemon = await Daemon.start((folder) => ({
    pools: { tank: { devices: [join(folder, "tank.img")], create: { size: "256MiB" } } },
    volumes: {},
    targets: [],
  }));
  let made = NOTHING;
  let applied = 0;
  const command = (): Command => {
    const lun = random.below(3);
    const choices = [
      () => createTarget(pick(TARGETS)),
      () => deleteTarget(pick([...made.targets.keys(), ...TARGETS])),
      () => map(pick(TARGETS), lun, pick(VOLUMES)),
      () => unmap(pick(TARGETS), lun),
      () => createVolume(pick(VOLUMES)),
      () => deleteVolume(pick(VOLUMES)),
      () => {
        const there = [...made.volumes];
        return there.length === 0
          ? createVolume(pick(VOLUMES))
          : renameVolume(pick(there), pick(VOLUMES));
      },
      () => apply((applied += 1)),
    ];
    return pick(choices)();
  };
  const counts = { answered: 0, refused: 0, whole: 0, nothing: 0 };
  for (let kill = 0; kill < wanted; kill += 1) {
    const running = daemon;
    const client = clientOf(running);
    await answering(client);
    const fatal = random.between(1, COMMANDS_MAX);
    let killing = Promise.resolve();
    let open: Command | null = null;
    for (let number = 1; open === null; number += 1) {
      const next = command();
      if (number === fatal) killing = sleep(random.below(FATAL_MS_MAX)).then(() => running.kill());
      const expected = next.after(made);
      const failure: unknown = await next.run(client).then(
        () => null,
        (error: unknown) => error,
      );
      if (failure === null) {
        expect(expected, `${next.text} was done`).not.toBeNull();
        made = expected ?? made;
        counts.answered += 1;
      } else if (isGone(failure)) {
        // Nobody knows how far this one came.
        open = next;
      } else {
        expect(expected, `${next.text} was refused`).toBeNull();
        counts.refused += 1;
      }
    }
    await killing;
    await client.close();
    await running.restart();
    const again = clientOf(running);
    const now = await look(again);
    const whole = open?.after(made) ?? null;
    const isWhole = whole !== null && JSON.stringify(plain(now)) === JSON.stringify(plain(whole));
    if (!isWhole) expect(plain(now), open?.text ?? "").toEqual(plain(made));
    counts[isWhole ? "whole" : "nothing"] += 1;
    made = now;
    await again.close();
  }
  console.log(`${wanted} kills amid commands: ${JSON.stringify(counts)}`);
  // Of few kills each may come before the first answer.
  expect(counts.answered).toBeGreaterThan(wanted > 10 ? wanted : 0);
  expect(await daemon.stop()).toBe(0);
  rmSync(daemon.folder, { recursive: true, force: true });
});
