import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DISK, DaemonBench, HOST } from "./support/daemon-bench.ts";

let bench: DaemonBench;

beforeEach(async () => {
  bench = await DaemonBench.make();
  await bench.run("target/create", { name: DISK });
});

afterEach(() => bench.dispose());

const allow = (more: object) => bench.attempt("target/allow", { target: DISK, ...more });
const deny = (more: object) => bench.attempt("target/deny", { target: DISK, ...more });

describe("access to targets", () => {
  it("is for those who are allowed, once there is a rule", async () => {
    await allow({ addresses: ["192.0.2.0/24"] });
    await expect(bench.login()).rejects.toThrow();
    const { access } = await allow({ addresses: ["127.0.0.1", "192.0.2.0/24"] });
    expect(access.addresses).toEqual(["192.0.2.0/24", "127.0.0.1"]);
    const session = await bench.login();
    await allow({ initiators: ["iqn.2026-11.net.example:other"] });
    // Whoever is there stays.
    expect(session.closed).toBe(null);
    await expect(bench.login()).rejects.toThrow();
    expect((await allow({ match: "any" })).access.match).toBe("any");
    await bench.login();
  });

  it("ends with a rule, for the logins to come", async () => {
    await allow({ initiators: [HOST, "iqn.2026-11.net.example:other"] });
    await bench.login();
    await deny({ initiators: [HOST] });
    await expect(bench.login()).rejects.toThrow();
  });

  it("is by a whole name of every type, or by a pattern of any", async () => {
    const initiators = [
      "iqn.2026-11.net.example:web",
      "iqn.2026-11.net.example",
      "eui.02004567A425678D",
      "naa.52004567BA64678D",
      "iqn.*:web*",
      "*",
      "web*",
    ];
    expect((await allow({ initiators })).access.initiators).toEqual(initiators);
  });

  it("takes again what tgt's commands or a file have let in under any name", async () => {
    const document = `targets: [{ name: "${DISK}", luns: [], allow: { initiators: [web] } }]`;
    await bench.attempt("system/apply", { document });
    const { access } = await allow({ initiators: ["web", HOST] });
    expect(access.initiators).toEqual(["web", HOST]);
  });

  it("is not for everybody because the last rule has gone, unless that is meant", async () => {
    await allow({ addresses: ["192.0.2.1"], initiators: ["iqn.2026-11.net.example:none"] });
    for (const last of [
      { addresses: ["192.0.2.1"] },
      { initiators: ["iqn.2026-11.net.example:none"] },
    ]) {
      await expect(deny(last)).rejects.toMatchObject({ kind: "busy" });
    }
    await expect(bench.login()).rejects.toThrow();
    await deny({
      addresses: ["192.0.2.1"],
      initiators: ["iqn.2026-11.net.example:none"],
      open: true,
    });
    await bench.login();
  });

  it.each([
    ["target/allow", {}, "invalid", "who"],
    ["target/allow", { addresses: ["here"] }, "invalid", "here"],
    ["target/allow", { addresses: ["192.0.2.0/33"] }, "invalid", "prefix length"],
    ["target/allow", { initiators: ["x".repeat(300)] }, "invalid", "223"],
    ["target/allow", { initiators: ["iqn.2026-11.net.example:a", "web"] }, "invalid", '"web"'],
    ["target/allow", { initiators: ["iqn.2026-13.net.example:a"] }, "invalid", "iqn.yyyy-mm"],
    ["target/allow", { initiators: ["iqn.net.example:a"] }, "invalid", "pattern"],
    ["target/allow", { initiators: ["eui.02004567A425678"] }, "invalid", "16 hexadecimal"],
    ["target/allow", { initiators: ["naa.5200"] }, "invalid", "16 or 32 hexadecimal"],
    ["target/allow", { initiators: [""] }, "invalid", '""'],
    ["target/allow", { addresses: Array(300).fill("ALL") }, "invalid", "256"],
    ["target/deny", {}, "invalid", "whose"],
    ["target/deny", { addresses: ["192.0.2.9"] }, "missing", "192.0.2.9"],
  ] as const)("%s refuses %j", async (name, more, kind, complaint) => {
    await expect(bench.attempt(name, { target: DISK, ...more })).rejects.toMatchObject({
      kind,
      message: expect.stringContaining(complaint),
    });
  });
});
