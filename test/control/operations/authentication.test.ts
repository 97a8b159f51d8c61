import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DISK, DaemonBench } from "./support/daemon-bench.ts";

let bench: DaemonBench;

beforeEach(async () => {
  bench = await DaemonBench.make();
  await bench.run("target/create", { name: DISK });
});

afterEach(() => bench.dispose());

const SECRET = "wonderland-123456";
const PROOF = "looking-glass-12";
const auth = (more: object) => bench.attempt("target/auth", { target: DISK, ...more });
const loginAs = (user: string, secret: string, mutual?: { user: string; secret: string }) =>
  bench.login(DISK, { chap: { user, secret, ...(mutual === undefined ? {} : { mutual }) } });

describe("authentication at targets", () => {
  it("is asked for once there is a user, and no reply or log has the secret", async () => {
    const report = await auth({ users: [{ user: "alice", password: SECRET }] });
    expect(report.authentication).toEqual({
      users: ["alice"],
      mutual: null,
      mutualRequired: false,
    });
    await expect(bench.login()).rejects.toThrow();
    await expect(loginAs("alice", "something-else-1")).rejects.toThrow();
    await loginAs("alice", SECRET);
    const said = JSON.stringify([report, bench.harness.lines, await bench.run("target/list", {})]);
    expect(said).not.toContain(SECRET);
    await bench.restart();
    await loginAs("alice", SECRET);
  });

  it("changes passwords and users, and ends when that is said", async () => {
    await auth({ users: [{ user: "alice", password: SECRET }] });
    await auth({
      users: [
        { user: "alice", password: `${SECRET}7` },
        { user: "bob", password: SECRET },
      ],
    });
    await expect(loginAs("alice", SECRET)).rejects.toThrow();
    await loginAs("alice", `${SECRET}7`);
    const left = await auth({ remove: ["alice"] });
    expect(left.authentication?.users).toEqual(["bob"]);
    await expect(auth({ remove: ["bob"] })).rejects.toMatchObject({ kind: "busy" });
    await expect(bench.login()).rejects.toThrow();
    expect((await auth({ none: true })).authentication).toBe(null);
    await bench.login();
  });

  it("proves the target, too", async () => {
    const users = [{ user: "alice", password: SECRET }];
    await auth({ users, mutual: { user: "disk", password: PROOF }, mutualRequired: true });
    await expect(loginAs("alice", SECRET)).rejects.toThrow();
    await loginAs("alice", SECRET, { user: "disk", secret: PROOF });
    const { authentication } = await auth({ mutual: null, mutualRequired: false });
    expect(authentication).toMatchObject({ mutual: null, mutualRequired: false });
    await loginAs("alice", SECRET);
  });

  it("takes passwords from accounts", async () => {
    await bench.run("account/create", { user: "alice", password: SECRET });
    await auth({ users: [{ user: "alice" }] });
    await loginAs("alice", SECRET);
    await expect(auth({ users: [{ user: "bob" }] })).rejects.toMatchObject({
      kind: "missing",
      message: expect.stringContaining("bob"),
    });
  });

  it.each([
    [{}, "invalid", "nothing"],
    [{ none: true, remove: ["x"] }, "invalid", "either"],
    [{ remove: ["x"] }, "missing", "x"],
    [{ users: [{ user: "alice", password: "x".repeat(300) }] }, "invalid", "256"],
    [{ users: [{ user: "a\u0000b", password: SECRET }] }, "invalid", "control"],
    [{ mutualRequired: true }, "invalid", "accounts"],
    [
      { users: [{ user: "a", password: SECRET }], mutual: { user: "b", password: SECRET } },
      "invalid",
      "secret",
    ],
    [{ users: [{ user: "a", password: 123456789012 }] }, "invalid", "password"],
  ])("refuses %j, and does not say the secret", async (more, kind, complaint) => {
    const error = await auth(more).catch((reason: unknown) => reason as Error);
    expect(error).toMatchObject({ kind, message: expect.stringContaining(complaint) });
    expect((error as Error).message).not.toMatch(/123456|xxxx/);
    expect((await bench.run("target/show", { target: DISK })).authentication).toBe(null);
  });
});
