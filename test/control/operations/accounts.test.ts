import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DISK, DaemonBench } from "./support/daemon-bench.ts";

let bench: DaemonBench;

beforeEach(async () => {
  bench = await DaemonBench.make();
  await bench.run("target/create", { name: DISK });
});

afterEach(() => bench.dispose());

const SECRET = "wonderland-123456";
const ALICE = { user: "alice", password: SECRET };
const NEW_SECRET = "another-12345678";

describe("operations on accounts", () => {
  it("make, list and delete them, over restarts, and never tell the secret", async () => {
    const made = await bench.run("account/create", ALICE);
    expect(made).toEqual({ user: "alice", origin: "command", targets: [] });
    await bench.restart();
    expect(await bench.run("account/list", {})).toEqual([made]);
    await expect(bench.run("account/create", ALICE)).rejects.toMatchObject({ kind: "exists" });
    await bench.run("account/delete", { user: "alice" });
    expect(await bench.run("account/list", {})).toEqual([]);
    await expect(bench.run("account/delete", { user: "alice" })).rejects.toMatchObject({
      kind: "missing",
    });
    expect(JSON.stringify(bench.harness.lines)).not.toContain(SECRET);
  });

  it("change the password of targets that have it, and of no others", async () => {
    const other = `${DISK}2`;
    await bench.run("target/create", { name: other });
    await bench.run("account/create", ALICE);
    await bench.run("target/auth", { target: DISK, users: [{ user: "alice" }] });
    const own = { user: "alice", password: "her-own-12345678" };
    await bench.run("target/auth", { target: other, users: [own] });
    const changed = await bench.run("account/set", { ...ALICE, password: NEW_SECRET });
    expect(changed.targets).toEqual([DISK]);
    await bench.login(DISK, { chap: { user: "alice", secret: NEW_SECRET } });
    await bench.login(other, { chap: { user: "alice", secret: own.password } });
    await expect(bench.login(DISK, { chap: { user: "alice", secret: SECRET } })).rejects.toThrow();
  });

  it("delete none that a target has", async () => {
    await bench.run("account/create", ALICE);
    const mutual = { user: "alice" };
    const users = [{ user: "bob", password: NEW_SECRET }];
    await bench.run("target/auth", { target: DISK, users, mutual });
    await expect(bench.run("account/delete", { user: "alice" })).rejects.toMatchObject({
      kind: "busy",
      message: expect.stringContaining(DISK),
    });
    await bench.run("target/auth", { target: DISK, mutual: null });
    await bench.run("account/delete", { user: "alice" });
  });

  it.each([
    ["account/create", { user: "", password: SECRET }, "invalid"],
    ["account/create", { user: "x".repeat(300), password: SECRET }, "invalid"],
    ["account/create", { user: "alice", password: "" }, "invalid"],
    ["account/create", { user: "alice" }, "invalid"],
    ["account/set", ALICE, "missing"],
  ] as const)("%s refuses %j", async (name, body, kind) => {
    await expect(bench.attempt(name, body)).rejects.toMatchObject({ kind });
    expect(await bench.run("account/list", {})).toEqual([]);
  });
});
