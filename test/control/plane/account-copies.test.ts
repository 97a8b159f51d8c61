import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { AuthenticationConfig, Config } from "../../../src/control/config/config.ts";
import { EMPTY_INVENTORY } from "../../../src/control/config/inventory.ts";
import {
  changedAccounts,
  targetsWith,
  withOtherSecrets,
} from "../../../src/control/plane/account-copies.ts";
import { Secret } from "../../../src/control/secret.ts";
import { OPEN_ACCESS } from "../../../src/iscsi/auth/access-list.ts";
import { DISK, DaemonBench } from "../operations/support/daemon-bench.ts";
import { hangUp } from "../support/hang-up.ts";
import { targetConfig } from "../support/inventories.ts";
import { emptyConfig } from "../support/plane-harness.ts";

const OTHER = `${DISK}2`;
const OLD = "wonderland-123456";
const NEW = "looking-glass-123";
const OWN = "her-own-123456789";

const account = (secret: string, user = "alice") => ({ user, secret: new Secret(secret) });

function by(secret: string, mutual: string | null = null): AuthenticationConfig {
  return {
    accounts: [account(secret)],
    mutual: mutual === null ? null : account(mutual),
    mutualRequired: false,
    algorithms: null,
  };
}

describe("copies of accounts", () => {
  it("are those with the same secret, also to prove the target, and for discovery", () => {
    const inventory = {
      ...EMPTY_INVENTORY,
      accounts: [account(OLD), account(OLD, "bob")],
      targets: [
        targetConfig("iqn.2026-11.net.example:a", { authentication: by(OLD) }),
        targetConfig("iqn.2026-11.net.example:b", { authentication: by(OWN, OLD) }),
        targetConfig("iqn.2026-11.net.example:c", { authentication: by(OWN) }),
        targetConfig("iqn.2026-11.net.example:d"),
      ],
      discovery: { enabled: true, access: OPEN_ACCESS, authentication: by(OLD) },
    };
    expect(targetsWith(inventory, account(OLD))).toEqual([
      "iqn.2026-11.net.example:a",
      "iqn.2026-11.net.example:b",
    ]);
    const changes = changedAccounts(
      [account(OLD), account(OLD, "carol")],
      [account(NEW), account(OLD, "carol"), account(NEW, "dave")],
    );
    expect(changes.map(({ after }) => after.user)).toEqual(["alice"]);
    const after = withOtherSecrets(inventory, changes);
    const revealed = (given: AuthenticationConfig | null | undefined) =>
      [...(given?.accounts ?? []), given?.mutual].map((one) => one?.secret.reveal());
    expect(after.targets.map(({ authentication }) => revealed(authentication))).toEqual([
      [NEW, undefined],
      [OWN, NEW],
      [OWN, undefined],
      [undefined],
    ]);
    expect(revealed(after.discovery?.authentication)[0]).toBe(NEW);
    expect(after.accounts.map(({ secret }) => secret.reveal())).toEqual([NEW, OLD]);
    expect(withOtherSecrets(EMPTY_INVENTORY, changes)).toEqual(EMPTY_INVENTORY);
  });
});

describe("an account of the configuration that has another secret at SIGHUP", () => {
  let bench: DaemonBench;

  const having = (...secrets: readonly string[]): Config => ({
    ...emptyConfig(bench.folder),
    accounts: secrets.map((secret) => account(secret)),
  });
  const auth = (target: string, password?: string) =>
    bench.run("target/auth", {
      target,
      users: [{ user: "alice", ...(password === undefined ? {} : { password }) }],
    });
  const isLetIn = (target: string, secret: string): Promise<boolean> =>
    bench.login(target, { chap: { user: "alice", secret } }).then(
      () => true,
      () => false,
    );

  beforeEach(async () => {
    bench = await DaemonBench.make();
    await hangUp(bench.harness, having(OLD));
    await bench.run("target/create", { name: DISK });
  });

  afterEach(() => bench.dispose());

  it("is given with it from then on", async () => {
    await hangUp(bench.harness, having(NEW));
    await auth(DISK);
    expect([await isLetIn(DISK, OLD), await isLetIn(DISK, NEW)]).toEqual([false, true]);
  });

  it("lets nobody in with the old one any more, except where that was said by itself", async () => {
    await auth(DISK);
    await bench.run("target/create", { name: OTHER });
    await auth(OTHER, OWN);
    expect(await isLetIn(DISK, OLD)).toBe(true);
    await hangUp(bench.harness, having(NEW));
    expect([await isLetIn(DISK, OLD), await isLetIn(DISK, NEW)]).toEqual([false, true]);
    expect(await isLetIn(OTHER, OWN)).toBe(true);
    expect(await bench.run("account/list", {})).toMatchObject([{ targets: [DISK] }]);
    await bench.restart();
    expect([await isLetIn(DISK, OLD), await isLetIn(DISK, NEW)]).toEqual([false, true]);
  });

  it("is told of where it goes and targets still have it", async () => {
    await auth(DISK);
    await hangUp(bench.harness, having());
    const fields = { user: "alice", targets: [DISK] };
    expect(bench.harness.lines).toContainEqual(expect.objectContaining({ level: "warn", fields }));
    expect(JSON.stringify(bench.harness.lines)).not.toContain(OLD);
  });
});
