import { describe, expect, it } from "vitest";
import { OperationError } from "../../../../src/control/protocol.ts";
import type { ApplyClient } from "../../../../src/cli/tgt/tgt-admin/apply-client.ts";
import { applyExecute, applyUpdate } from "../../../../src/cli/tgt/tgt-admin/apply.ts";
import { Runner } from "../../../../src/cli/tgt/tgt-admin/runner.ts";
import type { AdminWorld } from "../../../../src/cli/tgt/tgt-admin/world.ts";
import { readTargetsConf } from "../../../../src/cli/tgt/targets-conf.ts";
import { memoryFiles } from "../config-general-memory.ts";
import { shownTarget } from "./plays.ts";

interface Asked {
  readonly wanted: {
    readonly targets: readonly { readonly name: string; readonly luns: readonly object[] }[];
    readonly accounts: readonly object[];
    readonly discovery: object | null;
  };
  readonly remove: readonly string[];
  readonly onlyNew: boolean;
  readonly force: boolean;
  readonly dryRun: boolean;
}

const SHOWN = shownTarget(1, "iqn.a", { stores: ["/a"] }) + shownTarget(2, "iqn.old");

const CONF = `
incomingdiscoveryuser d secret
<target iqn.a>
  backing-store /a
  incominguser u first
</target>
<target iqn.b>
  backing-store /b
</target>
`;

class Stage {
  said = "";
  readonly asked: Asked[] = [];
  failure: string | null = null;
  inUse: readonly string[] = [];

  readonly client: ApplyClient = {
    call: ((_name: string, body: Asked) => {
      this.asked.push(body);
      if (this.failure !== null) return Promise.reject(new OperationError("busy", this.failure));
      return Promise.resolve({
        differences: ["a line"],
        inUse: this.inUse,
        configured: ["conf"],
        spared: ["other"],
      });
    }) as unknown as ApplyClient["call"],
    close: () => Promise.resolve(),
  };

  readonly #world: AdminWorld = {
    tgtadm: () => Promise.resolve({ status: 0, stdout: SHOWN, stderr: "" }),
    files: memoryFiles({}),
    print: (text) => (this.said += text),
    complain: (text) => (this.said += text),
    lookAt: () => Promise.resolve("open"),
    run: () => Promise.reject(new Error("nothing is to be run")),
    applyClient: () => Promise.resolve(this.client),
  };

  context(
    text: string = CONF,
    { isForced = false, ignoreErrors = false } = {},
  ): Parameters<typeof applyExecute>[0] {
    const { conf } = readTargetsConf("/t", memoryFiles({ "/t": text }));
    const flags = { pretend: false, verbose: true, ignoreErrors };
    return { conf, runner: new Runner(this.#world, "0", flags), world: this.#world, isForced };
  }
}

describe("one change for all that a configuration says", () => {
  it("makes what is new, and removes what is not wanted", async () => {
    const stage = new Stage();
    await applyExecute(stage.context(), stage.client);
    expect(stage.asked).toHaveLength(1);
    expect(stage.asked[0]).toMatchObject({ remove: ["iqn.old"], onlyNew: true, force: false });
    expect(stage.asked[0]?.wanted.targets.map(({ name }) => name)).toEqual(["iqn.b"]);
    expect(stage.said).toContain("# Target iqn.a already exists!\n");
    expect(stage.said).toContain("# Skipping device /b - it is in use.\n");
    expect(stage.said).toContain("# a line\n");
    expect(stage.said).toContain("# Target conf is in the daemon's configuration, and stays.\n");
    expect(stage.said).toContain("# Target other was not made by tgt's commands, and stays.\n");
  });

  it("removes nothing where the configuration has no targets, but with --update ALL that is forced", async () => {
    const stage = new Stage();
    stage.inUse = ["iqn.old"];
    await applyExecute(stage.context(""), stage.client);
    await applyUpdate("ALL", stage.context(""), stage.client);
    await applyUpdate("ALL", stage.context("", { isForced: true }), stage.client);
    expect(stage.asked.map(({ remove, dryRun }) => [remove, dryRun])).toEqual([
      [[], false],
      [["iqn.a", "iqn.old"], true],
      [["iqn.old"], false],
      [["iqn.a", "iqn.old"], false],
    ]);
    expect(stage.said).toContain("has no targets: iqn.a would go, and stay without --force\n");
  });

  it("takes no notice of the daemon's own use of a store, and says passwords", async () => {
    const stage = new Stage();
    stage.inUse = ["iqn.a"];
    await applyUpdate("ALL", stage.context(), stage.client);
    const [asked] = stage.asked;
    expect(asked?.wanted.targets.map(({ luns }) => luns.length)).toEqual([1, 0]);
    expect(asked?.wanted.accounts).toEqual([
      { user: "d", password: "secret" },
      { user: "u", password: "first" },
    ]);
    expect(asked?.wanted.discovery).toEqual({ incoming: ["d"], outgoing: null });
    expect(stage.said).toContain("# Target with tid 1 (iqn.a) is in use, it won't be updated.\n");
  });

  it("is of one target where one is named", async () => {
    const stage = new Stage();
    await applyUpdate("tid=1", stage.context(), stage.client);
    await applyUpdate("iqn.old", stage.context(), stage.client);
    expect(stage.asked.map(({ wanted }) => wanted.targets.length)).toEqual([1, 0]);
    expect(stage.asked.map(({ remove }) => remove)).toEqual([[], ["iqn.old"]]);
    const nowhere = applyUpdate("iqn.none", stage.context(), stage.client);
    await expect(nowhere).rejects.toMatchObject({ status: 1 });
    await expect(applyUpdate("tid=9", stage.context(), stage.client)).rejects.toMatchObject({
      status: 1,
    });
  });

  it("ends with tgtadm's status where the daemon refuses", async () => {
    const stage = new Stage();
    stage.failure = "it cannot be";
    const applying = applyUpdate("ALL", stage.context(), stage.client);
    await expect(applying).rejects.toMatchObject({ status: 22 });
    expect(stage.said).toContain("tgt-admin: it cannot be\n");
  });

  it("is one for each target where errors are to be passed over", async () => {
    const stage = new Stage();
    stage.failure = "it cannot be";
    await applyUpdate("ALL", stage.context(CONF, { ignoreErrors: true }), stage.client);
    expect(stage.asked).toHaveLength(4);
    expect(stage.asked.filter(({ wanted }) => wanted.discovery !== null)).toHaveLength(1);
    expect(stage.said.match(/it cannot be/g)).toHaveLength(4);
  });
});
