import { readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { randomUUID } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runChild } from "../../../../native-free/child-process.ts";
import { bytesOf, byteWords } from "../../../../src/cli/tgt/byte-words.ts";
import { findApplyClient } from "../../../../src/cli/tgt/tgt-admin/find-daemon.ts";
import { lookAt, SYSTEM_FILES } from "../../../../src/cli/tgt/tgt-admin/system-world.ts";
import { tgtAdmin } from "../../../../src/cli/tgt/tgt-admin/tgt-admin.ts";
import { tgtadm } from "../../../../src/cli/tgt/tgtadm/tgtadm.ts";
import { ControlServer } from "../../../../src/control/control-server.ts";
import type { OperationContext } from "../../../../src/control/operations/operation.ts";
import { withTarget } from "../../../../src/control/plane/edits.ts";
import { linkControlSocket } from "../../../../src/control/tgt/server/control-link.ts";
import { UNIT_SETTINGS_DEFAULTS } from "../../../../src/scsi/unit-settings.ts";
import { systemOwner } from "../../../../src/thin/members/owner.ts";
import { systemClock } from "../../../../src/util/clock.ts";
import { chooseSeed, SeededRandom } from "../../../../src/util/random.ts";
import { RealTgtd, tgtdMissing } from "../../../control/tgt/show/real-tgtd.ts";
import { CONTROL_PORT, TgtBench } from "../../../control/tgt/support/tgt-bench.ts";
import { targetConfig } from "../../../control/support/inventories.ts";
import { orWhyNot } from "../../../device/loop-device.ts";
import { hasProgram } from "../../../support/debian-packages.ts";
import { randomAction, randomConf } from "./random-conf.ts";

const missing = hasProgram("tgt-admin") ? tgtdMissing() : "tgt-admin is not installed";

const STEPS = 12;
const FILE_BYTES = 4 * 1024 * 1024;
const FILES = ["one.img", "two.img", "three.img"];
const ONE = "iqn.2026-01.com.example:one";
const TWO = "iqn.2026-01.com.example:two";

const PLAIN = `default-driver iscsi
<target ${ONE}>
backing-store {}/one.img
</target>
<target ${TWO}>
backing-store {}/two.img
incominguser alice alices-password
initiator-address 10.0.0.0/8
</target>
`;

/** Every option once as a command of its own, and what it takes; after each, both daemons show the same. */
const SINGLE_COMMANDS = [
  "-e",
  "-s",
  "--show",
  "--offline tid=1",
  "--ready tid=1",
  `--offline ${TWO}`,
  `--ready ${TWO}`,
  "--offline ALL",
  "--ready ALL",
  "--offline nobody",
  "--ready tid=99",
  "--offline help",
  "--ready help",
  "--update help",
  "--delete help",
  "-p --offline ALL",
  "--pretend --ready tid=2",
  "-v --offline tid=2",
  "--verbose --ready ALL",
  "--ignore-errors --offline tid=1",
  "--execute",
  "--ignore-errors -e",
  "--force -e",
  "--pretend -e",
  "--update tid=1",
  `--update ${TWO}`,
  "--update tid=99",
  "--update ALL",
  "-f --update ALL",
  "--pretend --delete tid=2",
  "--delete nobody",
  "--delete tid=99",
  "--delete tid=2",
  `--delete ${ONE}`,
  "--execute",
  "--delete ALL",
  "--show",
  "--dump",
  "-h",
  "--help",
  "--bogus",
  "--offline",
  "",
];

let bench: TgtBench;
let control: ControlServer;
beforeEach(async () => {
  bench = await TgtBench.start();
  const context = contextOf(bench);
  control = new ControlServer({ context, log: context.log });
  await control.listen(bench.path("control.sock"));
  await linkControlSocket(`${bench.socketBase}.${CONTROL_PORT}`, bench.path("control.sock"));
  for (const name of FILES) bench.file(name, FILE_BYTES);
});
afterEach(async () => {
  await control.close();
  await bench.dispose();
});

function contextOf({ harness }: TgtBench): OperationContext {
  const { parts, plane, server, state, folder } = harness;
  return {
    pools: parts.pools.operated,
    isServed: parts.volumes.serves,
    owner: systemOwner,
    clock: systemClock,
    makeUuid: randomUUID,
    backupDir: join(folder, "backup"),
    now: () => new Date(),
    log: parts.log,
    daemon: {
      plane,
      server,
      portals: parts.portals,
      volumes: parts.volumes,
      volumeIdentities: state.volumes,
      poolIdentities: state.pools,
      stateDir: join(folder, "state"),
      version: "1.2.3",
      startedAt: new Date(),
      logoutGraceMs: 0,
    },
  };
}

interface Ended {
  readonly status: number;
  readonly said: string;
}

async function admin(...words: readonly string[]): Promise<Ended> {
  const variables = { TGT_IPC_SOCKET: bench.socketBase };
  let said = "";
  const say = (text: string): void => {
    said += bytesOf(text).toString("utf8");
  };
  const status = await tgtAdmin(byteWords(["-C", CONTROL_PORT, ...words]), {
    tgtadm: (line) => tgtadm(line, { calledAs: "tgtadm", variables }),
    files: SYSTEM_FILES,
    print: say,
    complain: say,
    lookAt,
    run: runChild,
    applyClient: (controlPort) => findApplyClient(controlPort, variables),
  });
  return { status, said };
}

/** Its path; `{}` stands for the folder of the files. */
function conf(text: string): string {
  const path = bench.path("t.conf");
  writeFileSync(path, text.replaceAll("{}", bench.harness.folder));
  return path;
}

/** Help is in words of our own. */
const HELP = /help|^-h$/;

/** The lines of a text: targets have another order each time for Perl, and which stream comes first is not told. */
function inAnyOrder(text: string): string[] {
  return text.split("\n").toSorted();
}

/** Without settings of units that say what is so without them. */
function targets(): unknown {
  const usual = Object.entries(UNIT_SETTINGS_DEFAULTS);
  const isUsual = ([key, value]: [string, unknown]): boolean =>
    usual.some(([name, each]) => name === key && each === value);
  return bench.harness.plane.view.inventory.targets.map((target) => ({
    ...target,
    luns: target.luns.map((lun) => ({
      ...lun,
      settings: Object.fromEntries(Object.entries(lun.settings).filter((each) => !isUsual(each))),
    })),
  }));
}

describe("tgt-admin on this daemon", () => {
  it("updates a target under its initiators where they lose nothing, passwords included", async () => {
    const before = `<target ${ONE}>\nbacking-store {}/one.img\n</target>\n`;
    await admin("-e", "-f", "-c", conf(before));
    const session = await bench.login(ONE);
    const after = `<target ${ONE}>\nbacking-store {}/one.img\nbacking-store {}/two.img\nincominguser u a-password-1\n</target>\n`;
    const { status, said } = await admin("--update", "ALL", "-v", "-f", "-c", conf(after));
    expect([status, said]).toEqual([0, expect.stringContaining(`# change target ${ONE}`)]);
    const shown = await bench.must("--op show --mode target");
    expect(shown).toMatch(/I_T nexus: 1\n[^]*two\.img[^]*\n {8}u\n/);
    const again = await admin("--update", "ALL", "-v", "-f", "-c", conf(after));
    expect(again.said).not.toContain("# change");
    await admin("--update", "ALL", "-c", conf(after.replace("password-1", "password-2")));
    const dump = await admin("--dump", "--with-secrets");
    expect(dump.said).toContain("incominguser u a-password-2\n");
    expect((await admin("--dump")).said).toContain("incominguser u PLEASE_CORRECT_THE_PASSWORD\n");
    await session.logout();
  });

  it("takes the first of two passwords that a file has for a user, also for the other target alone", async () => {
    const text = (first: string): string =>
      `<target ${ONE}>\nincominguser u ${first}\n</target>\n` +
      `<target ${TWO}>\nincominguser u a-password-2\n</target>\n`;
    const path = conf(text("a-password-1"));
    const words = `t.conf:5: target ${TWO}: user "u" has another password at ${path}:2, which counts`;
    const secrets = () =>
      bench.harness.plane.view.inventory.targets.map(({ authentication }) =>
        authentication?.accounts.map(({ secret }) => secret.reveal()),
      );
    const made = await admin("-e", "-c", path);
    expect([made.status, made.said]).toEqual([0, expect.stringContaining(words)]);
    expect(secrets()).toEqual([["a-password-1"], ["a-password-1"]]);
    conf(text("a-password-3"));
    expect((await admin("--update", TWO, "-c", path)).status).toBe(0);
    expect(secrets()).toEqual([["a-password-3"], ["a-password-3"]]);
  });

  it("changes nothing where a part of it cannot be", async () => {
    const path = conf(`<target ${ONE}>\nbacking-store {}/one.img\nMaxBurstLength 5\n</target>\n`);
    const { status, said } = await admin("-e", "-f", "-c", path);
    expect(status).toBe(22);
    expect(said).toContain(`tgt-admin: target ${ONE}: MaxBurstLength 5: invalid request`);
    expect(await bench.must("--op show --mode target")).toBe("");
  });

  it("leaves a target in use, and says so", async () => {
    await admin("-e", "-f", "-c", conf(`<target ${ONE}>\nbacking-store {}/one.img\n</target>\n`));
    await bench.login(ONE);
    const { status, said } = await admin("--update", "ALL", "-v", "-c", conf(""));
    expect([status, said]).toEqual([
      0,
      expect.stringContaining(`# Target with tid 1 (${ONE}) is in use, it won't be updated.\n`),
    ]);
    expect(await bench.must("--op show --mode target")).toContain(ONE);
    const stays = await admin("--delete", "ALL", "-v");
    expect(stays.said).toContain("is in use, it won't be deleted.\n");
    const goes = await admin("--delete", ONE, "-f", "-v");
    expect(goes).toEqual({ status: 0, said: `# Removing target: ${ONE}\n` });
    expect(await bench.must("--op show --mode target")).toBe("");
  });

  const named = (): string[] => bench.harness.plane.view.all.targets.map(({ name }) => name);

  it("takes away what tgt's commands have made, and nothing else that the configuration lacks", async () => {
    const made = "iqn.2026-01.com.example:made";
    await bench.harness.plane.change({ name: "tester" }, "test", (view) =>
      withTarget(view, targetConfig(made)),
    );
    for (const words of [["-e"], ["--update", "ALL"]]) {
      await bench.must(`-o new -m target -t 40 -T ${TWO}`);
      const { status, said } = await admin(
        ...words,
        "-v",
        "-c",
        conf(`<target ${ONE}>\n</target>\n`),
      );
      expect([status, said]).toEqual([
        0,
        expect.stringContaining(`# Target ${made} was not made by tgt's commands, and stays.\n`),
      ]);
      expect(named().toSorted()).toEqual([made, ONE]);
    }
    expect((await admin("--delete", made)).status).toBe(0);
    expect(named()).toEqual([ONE]);
  });

  it("takes away all targets for a configuration without any only where it is forced to", async () => {
    await admin("-e", "-c", conf(PLAIN));
    const told = `tgt-admin: warning: the configuration has no targets: ${ONE}, ${TWO} would go, and stay without --force\n`;
    expect(await admin("--update", "ALL", "-c", conf(""))).toEqual({ status: 0, said: told });
    expect(named()).toEqual([ONE, TWO]);
    expect(await admin("--update", "ALL", "-f", "-c", conf(""))).toEqual({ status: 0, said: "" });
    expect(named()).toEqual([]);
  });

  /** Where the files are, as `target LUN file`. */
  const disks = (): string[] =>
    bench.harness.plane.view.all.targets.flatMap(({ name, luns }) =>
      luns.map(({ lun, volume }) => `${name} ${lun} ${basename(volume)}`),
    );
  const having = (name: string, ...stores: readonly string[]): string =>
    `<target ${name}>\n${stores.map((store) => `backing-store {}/${store}\n`).join("")}</target>\n`;

  it("gives a target with another name the disk of the old one", async () => {
    await admin("-e", "-c", conf(having(ONE, "one.img")));
    const renamed = conf(having(TWO, "one.img"));
    expect(await admin("--update", "ALL", "-c", renamed)).toEqual({ status: 0, said: "" });
    expect(disks()).toEqual([`${TWO} 1 one.img`]);
    expect(await admin("-e", "-c", conf(having(ONE, "one.img")))).toEqual({ status: 0, said: "" });
    expect(disks()).toEqual([`${ONE} 1 one.img`]);
  });

  it("moves a disk from one target to another, with the numbers that the file gives", async () => {
    await admin("-e", "-c", conf(having(ONE, "one.img", "two.img") + having(TWO, "three.img")));
    const moved = conf(having(ONE, "two.img") + having(TWO, "one.img", "three.img"));
    expect(await admin("--update", "ALL", "-c", moved)).toEqual({ status: 0, said: "" });
    expect(disks()).toEqual([`${ONE} 1 two.img`, `${TWO} 1 one.img`, `${TWO} 2 three.img`]);
  });

  it("gives nobody the disk of a target that stays, and says so", async () => {
    await admin("-e", "-c", conf(having(ONE, "one.img")));
    await bench.login(ONE);
    const renamed = conf(having(TWO, "one.img"));
    const { status, said } = await admin("--update", "ALL", "-c", renamed);
    const path = join(bench.harness.folder, "one.img");
    expect([status, said]).toEqual([
      0,
      `tgt-admin: warning: target ${TWO} is without ${path}, which is missing or in use: -v tells more\n` +
        `tgt-admin: warning: target ${ONE} is in use, and stays as it was\n`,
    ]);
    expect(disks()).toEqual([`${ONE} 1 one.img`]);
    expect(await admin("--update", "ALL", "-f", "-c", renamed)).toEqual({ status: 0, said: "" });
    expect(disks()).toEqual([`${TWO} 1 one.img`]);
  });

  it("has at each start what targets.conf says by then, by the commands of the drop-in", async () => {
    const dropIn = readFileSync("packaging/systemd/targets-conf.conf", "utf8");
    const lines = [...dropIn.matchAll(/^ExecStartPost=\/usr\/bin\/(\S+) (.*)$/gm)];
    const said = (password: string, address: string, store: string): string =>
      `<target ${ONE}>\nbacking-store {}/${store}\nincominguser u ${password}\ninitiator-address ${address}\n</target>\n`;
    const texts = [
      said("a-password-1", "ALL", "one.img"),
      said("a-password-2", "10.0.0.0/8", "two.img"),
    ];
    for (const text of texts) {
      const path = conf(text);
      for (const [, program, rest = ""] of lines) {
        const words = rest.replace("/etc/tgt/targets.conf", path).split(" ");
        const { status } = await (program === "tgtadm" ? bench.askWords(words) : admin(...words));
        expect(status, rest).toBe(0);
      }
    }
    expect(lines).toHaveLength(3);
    expect(disks()).toEqual([`${ONE} 1 two.img`]);
    const dump = (await admin("--dump", "--with-secrets")).said;
    expect(dump).toContain("incominguser u a-password-2\n");
    expect(dump).toContain("initiator-address 10.0.0.0/8\n");
    expect(dump).not.toContain("ALL");
  });

  const seed = chooseSeed(process.env);

  it(`has after a dump is carried out what it had before (seed ${seed})`, async () => {
    const random = new SeededRandom(seed);
    for (let round = 0; round < 5; round += 1) {
      await admin("--delete", "ALL", "-f");
      const text = randomConf(random, { folder: "{}", withFaults: false });
      await admin("-e", "-f", "-c", conf(text));
      const before = targets();
      const { said } = await admin("--dump", "--with-secrets");
      await admin("--delete", "ALL", "-f");
      await admin("-e", "-f", "-c", conf(said));
      expect(targets(), said).toEqual(before);
    }
  });
});

describe.skipIf(missing !== null)(`tgt's daemon and its script${orWhyNot(missing)}`, () => {
  let tgtd: RealTgtd;
  beforeEach(async () => {
    tgtd = await RealTgtd.start();
    for (const name of FILES) tgtd.file(name, FILE_BYTES);
  }, 60_000);
  afterEach(() => tgtd?.dispose());

  const seed = chooseSeed(process.env);

  async function shown(): Promise<readonly [theirs: string, ours: string]> {
    const pairs: string[][] = [[], []];
    for (const mode of ["target", "account"]) {
      const words = ["--op", "show", "--mode", mode];
      pairs[0]?.push((await tgtd.tgtadm(...words)).stdout);
      pairs[1]?.push((await bench.askWords(words)).stdout);
    }
    const [theirs = "", ours = ""] = pairs.map((texts) => texts.join(""));
    const folder = dirname(tgtd.socketBase);
    return [theirs.replaceAll(folder, "{}"), ours.replaceAll(bench.harness.folder, "{}")];
  }

  it("say and do, option by option, what ours says and does before this daemon", async () => {
    const folder = dirname(tgtd.socketBase);
    const variables = { TGT_IPC_SOCKET: tgtd.socketBase };
    const theirs = join(folder, "t.conf");
    writeFileSync(theirs, PLAIN.replaceAll("{}", folder));
    const ours = conf(PLAIN);
    for (const line of SINGLE_COMMANDS) {
      const words = line === "" ? [] : line.split(" ");
      const all = ["-C", "1", "-c", theirs, ...words];
      const real = await runChild("tgt-admin", all, { variables, timeoutMs: 60_000 });
      const own = await admin("-c", ours, ...words);
      expect.soft(own.status, line).toBe(real.exitCode);
      const said = inAnyOrder(`${real.stdout}${real.stderr}`.replaceAll(folder, "{}"));
      const found = inAnyOrder(own.said.replaceAll(bench.harness.folder, "{}"));
      if (HELP.test(line)) expect(found.length, line).toBeGreaterThan(3);
      else expect.soft(found, line).toEqual(said);
      const [expected, actual] = await shown();
      expect(actual, line).toBe(expected);
    }
  }, 60_000);

  it("give a target with another name the disk of the old one, too", async () => {
    const folder = dirname(tgtd.socketBase);
    const variables = { TGT_IPC_SOCKET: tgtd.socketBase };
    for (const [name, action] of [
      [ONE, ["-e"]],
      [TWO, ["--update", "ALL"]],
    ] as const) {
      const text = `<target ${name}>\nbacking-store {}/one.img\n</target>\n`;
      const theirs = join(folder, "t.conf");
      writeFileSync(theirs, text.replaceAll("{}", folder));
      const words = ["-C", "1", "-c", theirs, ...action];
      const real = await runChild("tgt-admin", words, { variables, timeoutMs: 60_000 });
      const { status } = await admin("-c", conf(text), ...action);
      expect(status).toBe(real.exitCode);
      const [expected, actual] = await shown();
      expect(actual).toBe(expected);
      expect(actual).toContain("{}/one.img");
    }
  }, 60_000);

  it(`come to what this daemon comes to, step by step (seed ${seed})`, async () => {
    const random = new SeededRandom(seed);
    const folder = dirname(tgtd.socketBase);
    const variables = { TGT_IPC_SOCKET: tgtd.socketBase };
    for (let step = 0; step < STEPS; step += 1) {
      const wanted = { folder: "{}", withFaults: false, withDiscovery: false };
      const text = randomConf(random, wanted);
      const action = [...randomAction(random).filter((word) => word !== "-f"), "-f"];
      const theirs = join(folder, "t.conf");
      writeFileSync(theirs, text.replaceAll("{}", folder));
      const what = `step ${step}: ${action.join(" ")}\n${text}`;
      const words = ["-C", "1", "-c", theirs, ...action];
      const real = await runChild("tgt-admin", words, { variables, timeoutMs: 60_000 });
      const [, before] = await shown();
      const own = await admin("-c", conf(text), ...action);
      expect(own.status, `${what}${own.said}${real.stdout}`).toBe(real.exitCode);
      const [expected, actual] = await shown();
      if (own.status !== 0) {
        // A number that is taken, for example: the script stops in the middle, and they have different things from here on.
        expect(actual, what).toBe(before);
        break;
      }
      expect(actual, what).toBe(expected);
    }
  }, 60_000);
});
