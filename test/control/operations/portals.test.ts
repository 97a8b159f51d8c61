import { createServer } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { connect } from "../../../src/initiator/connect.ts";
import { DISK, DaemonBench, HOST } from "./support/daemon-bench.ts";

let bench: DaemonBench;

beforeEach(async () => {
  bench = await DaemonBench.make();
  await bench.run("target/create", { name: DISK });
});

afterEach(() => bench.dispose());

/** A port that is free by now. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const address = server.address();
  await new Promise((done) => server.close(done));
  return typeof address === "object" && address !== null ? address.port : 0;
}

const login = (port: number) =>
  connect({ address: "127.0.0.1", port, initiatorName: HOST, targetName: DISK });

describe("operations on portals", () => {
  it("open one, list it, and close it again; sessions stay", async () => {
    const listen = `127.0.0.1:${await freePort()}`;
    const made = await bench.run("portal/create", { listen, group: 4, advertise: "nat.example" });
    expect(made).toEqual({
      listen,
      address: listen,
      group: 4,
      advertise: "nat.example:3260",
      origin: "command",
    });
    expect((await bench.run("portal/list", {})).map(({ origin }) => origin)).toEqual([
      "configuration",
      "command",
    ]);
    const port = Number(listen.split(":")[1]);
    const session = await login(port);
    await bench.run("portal/delete", { listen });
    await expect(login(port)).rejects.toThrow();
    expect(session.closed).toBe(null);
    session.destroy();
    expect(await bench.run("portal/list", {})).toHaveLength(1);
  });

  it("make none that would take the port of another", async () => {
    const listen = `127.0.0.1:${await freePort()}`;
    await bench.run("portal/create", { listen });
    const all = listen.replace("127.0.0.1", "0.0.0.0");
    await expect(bench.run("portal/create", { listen: all })).rejects.toMatchObject({
      kind: "exists",
      message: `portal ${all} would listen where portal ${listen} listens already`,
    });
  });

  it("keep one that a target's group needs", async () => {
    const listen = `127.0.0.1:${await freePort()}`;
    await bench.run("portal/create", { listen, group: 4 });
    await bench.run("target/set", { target: DISK, portalGroups: [4] });
    await expect(bench.run("portal/delete", { listen })).rejects.toMatchObject({
      kind: "invalid",
      message: expect.stringContaining("group 4"),
    });
  });

  it.each([
    ["portal/create", { listen: "nonsense:x" }, "invalid"],
    ["portal/create", { listen: "127.0.0.1:0" }, "exists"],
    ["portal/create", { listen: "127.0.0.1:70000" }, "invalid"],
    ["portal/create", { listen: "127.0.0.1:1", group: 0 }, "invalid"],
    ["portal/create", { listen: "192.0.2.77:1" }, "failed"],
    ["portal/delete", { listen: "127.0.0.1:0" }, "foreign"],
    ["portal/delete", { listen: "127.0.0.1:9" }, "missing"],
  ] as const)("%s refuses %j", async (name, body, kind) => {
    await expect(bench.attempt(name, body)).rejects.toMatchObject({ kind });
    expect(await bench.run("portal/list", {})).toHaveLength(1);
  });
});
