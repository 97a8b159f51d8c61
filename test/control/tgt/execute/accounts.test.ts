import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { AccountConfig } from "../../../../src/control/config/config.ts";
import { Secret } from "../../../../src/control/secret.ts";
import { connect } from "../../../../src/initiator/connect.ts";
import { OPEN_ACCESS } from "../../../../src/iscsi/auth/access-list.ts";
import { targetConfig } from "../../support/inventories.ts";
import { INITIATOR, TgtBench } from "../support/tgt-bench.ts";

let bench: TgtBench;

beforeEach(async () => {
  bench = await TgtBench.start();
  await bench.must("-o new -m target -t 1 -T iqn.2026-01.com.example:one");
});

afterEach(async () => {
  await bench.dispose();
});

async function shown(): Promise<string[]> {
  const text = await bench.must("-o show -m target");
  const part = text.slice(text.indexOf("Account information:"), text.indexOf("ACL information:"));
  return part
    .split("\n")
    .slice(1, -1)
    .map((line) => line.trim());
}

describe("accounts", () => {
  it("have names and passwords of more than ASCII, which initiators log in with", async () => {
    const [user, secret] = ["j\u00fcrgen", "gr\u00f6\u00dfer-als-zw\u00f6lf"];
    await bench.must(
      `-o new -m account -u ${user} -p ${secret}`,
      `-o bind -m account -t 1 -u ${user}`,
      "-o bind -m target -t 1 -I ALL",
    );
    expect(await shown()).toEqual([user]);
    expect(await bench.must("-o show -m account")).toBe(`Account list:\n    ${user}\n`);
    const session = await connect({
      address: "127.0.0.1",
      port: bench.port,
      initiatorName: INITIATOR,
      targetName: "iqn.2026-01.com.example:one",
      chap: { user, secret },
    });
    await session.logout();
    await bench.must(`-o delete -m account -u ${user}`);
    expect(await shown()).toEqual([]);
  });

  it("are bound, unbound and gone with all that they were bound to", async () => {
    for (const user of ["u1", "u2", "u3", "o1"]) {
      await bench.must(`-o new -m account -u ${user} -p password-of-${user}`);
    }
    await bench.must(
      "-o bind -m account -t 1 -u u1",
      "-o bind -m account -t 1 -u u2",
      "-o bind -m account -t 1 -u o1 --outgoing",
      "-o bind -m account -u u3",
      "-o bind -m account -u o1 --outgoing",
    );
    expect(await shown()).toEqual(["u1", "u2", "o1 (outgoing)"]);
    expect(await bench.must("-o show -m account")).toBe(
      "Account list:\n    o1\n    u3\n    u2\n    u1\n",
    );
    expect(await bench.must("-o show -m sys")).toContain(
      "    Account information:\n\n    u3\n    o1 (outgoing)\niSNS:",
    );
    await bench.must("-o unbind -m account -t 1 -u u1", "-o unbind -m account -u u3");
    await bench.must("-o delete -m account -u o1", "-o delete -m account -u u2");
    expect(await shown()).toEqual([]);
    expect(await bench.must("-o show -m sys")).not.toContain("Account information");
    expect(bench.harness.plane.view.all.targets[0]?.authentication).toBeNull();
  });

  it("are refused as tgtd refuses them", async () => {
    await bench.must("-o new -m account -u u1 -p secret", "-o bind -m account -t 1 -u u1");
    await bench.must("-o new -m account -u o1 -p other", "-o new -m account -u o2 -p third");
    await bench.must("-o bind -m account -t 1 -u o1 --outgoing");
    const cases = [
      ["-o bind -m account -t 9 -u u1", "can't find the target"],
      ["-o bind -m account -t 1 -u u1", "this account already exists"],
      ["-o bind -m account -t 1 -u nobody", "can't find the account"],
      ["-o bind -m account -t 1 -u o2 --outgoing", "this target already has an outgoing account"],
      ["-o unbind -m account -t 1 -u o2", "can't find the account"],
      ["-o unbind -m account -t 1 -u u1 --outgoing", "can't find the account"],
      ["-o unbind -m account -u u1", "can't find the account"],
      ["-o new -m account -u u1 -p x", "this account already exists"],
      ["-o delete -m account -u nobody", "can't find the account"],
    ] as const;
    for (const [line, complaint] of cases)
      expect(await bench.complaint(line), line).toBe(complaint);
    expect(await shown()).toEqual(["u1", "o1 (outgoing)"]);
  });

  it("log initiators in, and without them nobody", async () => {
    await bench.must("-o bind -m target -t 1 -I ALL");
    await (await bench.login("iqn.2026-01.com.example:one")).logout();
    await bench.must("-o new -m account -u u1 -p secret-of-u1", "-o bind -m account -t 1 -u u1");
    await expect(bench.login("iqn.2026-01.com.example:one")).rejects.toThrow();
  });
});

describe("an account that goes", () => {
  const ORDINARY = "iqn.2026-01.com.example:ordinary";
  const by = (...accounts: readonly AccountConfig[]) => {
    return { accounts, mutual: null, mutualRequired: false, algorithms: null };
  };
  const bob = (secret: string) => ({ user: "bob", secret: new Secret(secret) });

  /** As thinlun's own commands do: a target, and users for discovery. */
  async function make(targetSecret: string, discoverySecret: string): Promise<void> {
    await bench.harness.plane.change({ name: "tester" }, "test", ({ inventory }) => ({
      ...inventory,
      targets: [
        ...inventory.targets,
        targetConfig(ORDINARY, { authentication: by(bob(targetSecret)), tid: 7 }),
      ],
      discovery: {
        enabled: true,
        access: OPEN_ACCESS,
        authentication: by(bob(discoverySecret)),
      },
    }));
  }

  function usersOf(): readonly (readonly string[] | undefined)[] {
    const { targets, discovery } = bench.harness.plane.view.all;
    return [
      targets.find(({ name }) => name === ORDINARY)?.authentication,
      discovery.authentication,
    ].map((each) => each?.accounts.map(({ user }) => user));
  }

  it("leaves another one of the same name where it is: nobody gets in who did not", async () => {
    await make("password-of-this", "password-of-that");
    await bench.must("-o new -m account -u bob -p password-of-bob");
    expect(await bench.complaint("-o unbind -m account -t 7 -u bob")).toBe(
      "can't find the account",
    );
    expect(await bench.complaint("-o unbind -m account -u bob")).toBe("can't find the account");
    await bench.must("-o delete -m account -u bob");
    expect(usersOf()).toEqual([["bob"], ["bob"]]);
    await expect(bench.login(ORDINARY)).rejects.toThrow();
  });

  it("stays where a target that tgt's commands have not made asks for it", async () => {
    await make("password-of-bob", "password-of-that");
    await bench.must("-o new -m account -u bob -p password-of-bob");
    expect(await bench.complaint("-o delete -m account -u bob")).toBe(
      "this operation isn't supported",
    );
    expect(usersOf()).toEqual([["bob"], ["bob"]]);
    await bench.must("-o unbind -m account -t 7 -u bob", "-o delete -m account -u bob");
    expect(usersOf()).toEqual([undefined, ["bob"]]);
  });

  it("is told of in the log where everybody gets in then, as with tgt", async () => {
    await bench.must(
      "-o new -m account -u bob -p password-of-bob",
      "-o bind -m account -t 1 -u bob",
      "-o delete -m account -u bob",
    );
    expect(bench.harness.lines).toContainEqual(
      expect.objectContaining({
        level: "warn",
        fields: { part: "tgt", user: "bob", open: ["iqn.2026-01.com.example:one"] },
      }),
    );
  });
});
