import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { inBytes } from "../../../../src/cli/tgt/tgt-admin/byte-conf.ts";
import type { ApplyClient } from "../../../../src/cli/tgt/tgt-admin/apply-client.ts";
import { clientOf } from "../../../../src/cli/tgt/tgt-admin/client-of.ts";
import { OperationError } from "../../../../src/control/protocol.ts";
import { TidGiver } from "../../../../src/cli/tgt/tgt-admin/configure.ts";
import {
  DaemonState,
  readAccounts,
  readIsIsnsOn,
} from "../../../../src/cli/tgt/tgt-admin/daemon-state.ts";
import { judgeStore } from "../../../../src/cli/tgt/tgt-admin/device-check.ts";
import { likeTheDevice, requireSgInq } from "../../../../src/cli/tgt/tgt-admin/direct-store.ts";
import { noteDefaultDriver } from "../../../../src/cli/tgt/tgt-admin/execute.ts";
import { findApplyClient } from "../../../../src/cli/tgt/tgt-admin/find-daemon.ts";
import { isInitiatorName, removeTarget } from "../../../../src/cli/tgt/tgt-admin/remove-target.ts";
import { AdminEnd, plain, Runner } from "../../../../src/cli/tgt/tgt-admin/runner.ts";
import { setState } from "../../../../src/cli/tgt/tgt-admin/set-state.ts";
import { newUnit, unitSteps } from "../../../../src/cli/tgt/tgt-admin/store-commands.ts";
import { TargetMaker } from "../../../../src/cli/tgt/tgt-admin/target-commands.ts";
import { refuseUnknown } from "../../../../src/cli/tgt/tgt-admin/update.ts";
import type { AdminWorld, DeviceState } from "../../../../src/cli/tgt/tgt-admin/world.ts";
import type { StoreWanted } from "../../../../src/cli/tgt/targets-conf-store.ts";
import type { TargetWanted } from "../../../../src/cli/tgt/targets-conf-target.ts";
import { readTargetsConf, type TargetsConf } from "../../../../src/cli/tgt/targets-conf.ts";
import { memoryFiles } from "../config-general-memory.ts";
import { shownTarget } from "./plays.ts";

function conf(text: string): TargetsConf {
  return readTargetsConf("/t", memoryFiles({ "/t": text })).conf;
}

function target(text: string): TargetWanted {
  const [only] = conf(`<target iqn.a>\n${text}\n</target>`).targets;
  if (only === undefined) throw new Error("no target");
  return only;
}

function store(text: string): StoreWanted {
  const [only] = target(text).stores;
  if (only === undefined) throw new Error("no store");
  return only;
}

class Stage {
  said = "";
  readonly lines: string[] = [];
  shows: Readonly<Record<string, string>> = {};
  state: DeviceState = "free";
  hasTools = true;

  readonly world: AdminWorld = {
    tgtadm: (words) => {
      const mode = words[words.indexOf("--mode") + 1] ?? "";
      if (words.includes("show")) {
        return Promise.resolve({ status: 0, stdout: this.shows[mode] ?? "", stderr: "" });
      }
      this.lines.push(words.join(" "));
      return Promise.resolve({ status: words.includes("bad") ? 22 : 0, stdout: "", stderr: "" });
    },
    files: memoryFiles({}),
    print: (text) => (this.said += text),
    complain: (text) => (this.said += text),
    lookAt: () => Promise.resolve(this.state),
    run: () => {
      const outcome = this.hasTools ? "exited" : "missing";
      return Promise.resolve({ outcome, exitCode: 1, stdout: "nothing known", stderr: "" });
    },
    applyClient: () => Promise.resolve(null),
  };

  runner(flags: Partial<Record<"pretend" | "verbose" | "ignoreErrors", boolean>> = {}): Runner {
    const none = { pretend: false, verbose: false, ignoreErrors: false };
    return new Runner(this.world, "4", { ...none, ...flags });
  }
}

describe("Runner", () => {
  it("runs, tells, or only tells", async () => {
    const stage = new Stage();
    await stage.runner().execute(plain("--op", "new"));
    expect([stage.lines, stage.said]).toEqual([["-C 4 --op new"], ""]);
    await stage.runner({ pretend: true }).execute(plain("--op", "bad"));
    expect([stage.lines.length, stage.said]).toEqual([1, "tgtadm -C 4 --op bad\n"]);
  });

  it("ends with the status of what fails, unless errors are to be passed over", async () => {
    const stage = new Stage();
    await expect(stage.runner().execute(plain("bad"))).rejects.toEqual(new AdminEnd(22));
    expect(stage.said).toBe("Command:\n\ttgtadm -C 4 bad\nexited with code: 22.\n");
    await stage.runner({ ignoreErrors: true }).execute(plain("bad"));
  });
});

describe("the state of the daemon", () => {
  it("is what it shows", async () => {
    const stage = new Stage();
    stage.shows = {
      target: shownTarget(2, "iqn.a") + shownTarget(7, "iqn.b"),
      account: "Account list:\n    alice\n    bob\n",
      sys: "iSNS:\n    iSNS=Off\n",
    };
    const state = await DaemonState.read(stage.runner());
    expect(state.highestTid).toBe(7);
    expect(state.withTid("2")?.name).toBe("iqn.a");
    expect(state.withTid("3")).toBeUndefined();
    expect([...(await readAccounts(stage.runner()))]).toEqual(["alice", "bob"]);
    expect(await readIsIsnsOn(stage.runner())).toBe(false);
  });

  it("gives numbers to new targets", async () => {
    const stage = new Stage();
    stage.shows = { target: shownTarget(2, "iqn.a") + shownTarget(7, "iqn.b") };
    const tids = new TidGiver(await DaemonState.read(stage.runner()));
    const named = (name: string, tid: number | null = null): TargetWanted => {
      return { ...target(""), name, tid };
    };
    expect([named("x"), named("y", 3), named("z")].map((each) => tids.next(each))).toEqual([
      8, 3, 4,
    ]);
    const again = new TidGiver(await DaemonState.read(stage.runner()));
    const given = [named("iqn.a"), named("x"), named("y")];
    expect(given.map((each) => again.replacing(each, false))).toEqual([2, 8, 9]);
  });
});

describe("stores", () => {
  const world = new Stage();
  const flags = { isForced: false, isOwn: false };

  it("are left out where they are not there, or somebody has them", async () => {
    const judge = async (state: DeviceState, text = "", more = {}): Promise<boolean> => {
      world.state = state;
      const wanted = store(`backing-store /a\n${text}`);
      return (await judgeStore(wanted, world.world, { ...flags, ...more })).isUsable;
    };
    expect(await judge("free")).toBe(true);
    expect(await judge("missing")).toBe(false);
    expect(await judge("missing", "", { isForced: true })).toBe(false);
    expect(await judge("missing", "bs-type thin")).toBe(true);
    for (const state of ["busy", "open"] as const) {
      expect(await judge(state)).toBe(false);
      expect(await judge(state, "allow-in-use yes")).toBe(true);
      expect(await judge(state, "", { isForced: true })).toBe(true);
      expect(await judge(state, "", { isOwn: true })).toBe(true);
    }
    world.state = "busy";
    const { notes } = await judgeStore(store("backing-store /a"), world.world, flags);
    expect(notes[0]).toBe("# Device /a is used by the system (mounted, used by swap?).");
  });

  it("are what their configuration says where the device says nothing", async () => {
    const direct = store("direct-store /a\nvendor_id V");
    expect(await likeTheDevice(direct, world.world)).toEqual(direct);
    await requireSgInq(world.world);
    world.hasTools = false;
    await expect(requireSgInq(world.world)).rejects.toEqual(new AdminEnd(1));
  });

  it("give no shell what it could take for its own", () => {
    const wanted = store('backing-store /a b$(x);#c\nscsi_sn "x; rm y"');
    const place = { driver: "iscsi", tid: "1", lun: 1 };
    expect(newUnit(place, wanted).words).toContain(wanted.path);
    const [first] = unitSteps(place, wanted);
    expect(first?.kind === "command" && first.command.words.at(-1)).toBe("scsi_sn=x; rm y");
  });
});

describe("rules of access", () => {
  it.each([
    ["ALL", false],
    ["10.0.0.0/8", false],
    ["fe80::1/64", false],
    ["iqn.2026-01.x:a", true],
    ["eui.0123456789abcdef", true],
    ["host", true],
  ])("%s", (rule, expected) => {
    expect(isInitiatorName(rule)).toBe(expected);
  });

  it("are taken away by what they are before a target in use is removed by force", async () => {
    const stage = new Stage();
    const acl = ["10.0.0.0/8", "iqn.host"];
    stage.shows = { target: shownTarget(2, "iqn.a", { acl, sessions: [[1, 0]] }) };
    const runner = stage.runner();
    const state = await DaemonState.read(runner);
    await removeTarget("iqn.a", { runner, state, isForced: true, purpose: "deleted" });
    expect(stage.lines).toEqual([
      "-C 4 --op unbind --mode target --tid 2 -I 10.0.0.0/8",
      "-C 4 --op unbind --mode target --tid 2 -Q iqn.host",
      "-C 4 --op delete --mode conn --tid 2 --sid 1 --cid 0",
      "-C 4 --mode target --op delete --tid=2",
    ]);
  });
});

describe("accounts", () => {
  it("are made once", async () => {
    const stage = new Stage();
    const maker = new TargetMaker(stage.world, stage.runner(), new Set(["there"]), false);
    await maker.newAccount([], "there", "x");
    await maker.newAccount([], "new", "x");
    await maker.newAccount([], "new", "y");
    expect(stage.lines).toEqual(["-C 4 --op new --user=new --password=x"]);
  });
});

describe("what is said by the way", () => {
  it("is which driver counts", () => {
    const stage = new Stage();
    noteDefaultDriver(conf("default-driver iscsi"), stage.runner({ verbose: true }));
    expect(stage.said).toBe("");
    noteDefaultDriver(conf(""), stage.runner({ verbose: true }));
    expect(stage.said).toContain("defaulting to iscsi");
  });

  it("is that a target is nowhere, where there are others", () => {
    const { world } = new Stage();
    const context = { runner: new Stage().runner(), world, isForced: false };
    refuseUnknown("x", { ...context, conf: conf("") });
    expect(() => refuseUnknown("x", { ...context, conf: conf("<target a>\n</target>") })).toThrow(
      AdminEnd,
    );
  });

  it("is that a target cannot be put in a state", async () => {
    const stage = new Stage();
    const setting = setState("ready", "nobody", stage.runner(), stage.world);
    await expect(setting).rejects.toEqual(new AdminEnd(1));
    expect(stage.said).toBe('There is no target with name "nobody", can\'t ready it!\n');
  });
});

describe("inBytes", () => {
  it("has one character a byte in every text", () => {
    const tree = { a: ["\u00e9", 1, null, true], b: new Map([["\u00e9", "x"]]) };
    expect(inBytes(tree)).toEqual({
      a: ["\u00c3\u00a9", 1, null, true],
      b: new Map([["\u00c3\u00a9", "x"]]),
    });
  });
});

describe("clientOf", () => {
  const document = (tid: number): object => ({ targets: [{ name: "iqn.a", tid }] });
  async function found(call: () => Promise<unknown>): Promise<boolean> {
    const stage = new Stage();
    stage.shows = { target: shownTarget(2, "iqn.a") };
    const client = { call, close: () => Promise.resolve() } as unknown as ApplyClient;
    const world = { ...stage.world, applyClient: () => Promise.resolve(client) };
    return (await clientOf(stage.runner(), world)) !== null;
  }

  it("takes the daemon that tells of the same targets as the one that tgtadm speaks to", async () => {
    expect(await found(() => Promise.resolve(document(2)))).toBe(true);
    expect(await found(() => Promise.resolve(document(3)))).toBe(false);
    expect(await found(() => Promise.resolve({ targets: [] }))).toBe(false);
    const gone = new OperationError("missing", "nobody answers");
    expect(await found(() => Promise.reject(gone))).toBe(false);
  });
});

describe("findApplyClient", () => {
  it("finds the daemon where a link to its socket stands behind the name of tgt's", async () => {
    const folder = mkdtempSync(join(tmpdir(), "thinlun-admin-"));
    const variables = { TGT_IPC_SOCKET: join(folder, "socket") };
    const server = createServer();
    server.listen(join(folder, "control.sock"));
    await once(server, "listening");
    try {
      expect(await findApplyClient("3", variables)).toBeNull();
      symlinkSync(join(folder, "control.sock"), join(folder, "socket.3.thinlun"));
      const client = await findApplyClient("3", variables);
      expect(client).not.toBeNull();
      await client?.close();
      expect(await findApplyClient("4", variables)).toBeNull();
    } finally {
      server.close();
      rmSync(folder, { recursive: true });
    }
  });
});
