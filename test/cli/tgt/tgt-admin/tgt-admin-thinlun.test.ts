import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { randomUUID } from "node:crypto";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { runChild } from "../../../../native-free/child-process.ts";
import { bytesOf, byteWords } from "../../../../src/cli/tgt/byte-words.ts";
import { findApplyClient } from "../../../../src/cli/tgt/tgt-admin/find-daemon.ts";
import { lookAt, SYSTEM_FILES } from "../../../../src/cli/tgt/tgt-admin/system-world.ts";
import { tgtAdmin } from "../../../../src/cli/tgt/tgt-admin/tgt-admin.ts";
import { tgtadm } from "../../../../src/cli/tgt/tgtadm/tgtadm.ts";
import { ControlServer } from "../../../../src/control/control-server.ts";
import type { OperationContext } from "../../../../src/control/operations/operation.ts";
import { linkControlSocket } from "../../../../src/control/tgt/server/control-link.ts";
import { UNIT_SETTINGS_DEFAULTS } from "../../../../src/scsi/unit-settings.ts";
import { systemOwner } from "../../../../src/thin/members/owner.ts";
import { systemClock } from "../../../../src/util/clock.ts";
import { chooseSeed, SeededRandom } from "../../../../src/util/random.ts";
import { RealTgtd, tgtdMissing } from "../../../control/tgt/show/real-tgtd.ts";
import { CONTROL_PORT, TgtBench } from "../../../control/tgt/support/tgt-bench.ts";
import { orWhyNot } from "../../../device/loop-device.ts";
import { hasProgram } from "../../../support/debian-packages.ts";
import { randomAction, randomConf } from "./random-conf.ts";

const missing = hasProgram("tgt-admin") ? tgtdMissing() : "tgt-admin is not installed";

const STEPS = 12;
const FILE_BYTES = 4 * 1024 * 1024;
const FILES = ["one.img", "two.img", "three.img"];
const ONE = "iqn.2026-01.com.example:one";

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
  beforeAll(async () => {
    tgtd = await RealTgtd.start();
    for (const name of FILES) tgtd.file(name, FILE_BYTES);
  }, 60_000);
  afterAll(() => tgtd?.dispose());

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
      const own = await admin("-c", conf(text), ...action);
      expect(own.status, `${what}${own.said}${real.stdout}`).toBe(real.exitCode);
      const [expected, actual] = await shown();
      expect(actual, what).toBe(expected);
    }
  }, 60_000);
});
