import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { afterEach, beforeEach, expect, it } from "vitest";
import { stringify } from "yaml";
import { controlSocketPath } from "../../../src/control/protocol.ts";
import { connect } from "../../../src/initiator/connect.ts";
import { Command } from "../../cli/support.ts";
import { freePort } from "../../support/daemon.ts";
import { DISK, Faces, OTHER } from "./support/faces.ts";

/*
 * All that a daemon writes, at its most talkative, while passwords and tokens come to it by every way, right and wrong: none of them is in
 * it.
 */

const MARK = "XyZzY";
const SECRET = `${MARK}-wonderland`;
const TOKEN = `${MARK}-${"t".repeat(32)}`;

let folder: string;
let daemon: Command | null = null;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "thinlun-logs-"));
});

afterEach(async () => {
  daemon?.child.kill("SIGKILL");
  await daemon?.outcome();
  daemon = null;
  rmSync(folder, { recursive: true });
});

const stateDir = (): string => join(folder, "state");

interface Asked {
  readonly path: string;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly port?: number;
}

/** The status; 0: hung up on. */
function ask({ path, body = "", headers = {}, port }: Asked): Promise<number> {
  const where = port === undefined ? { socketPath: controlSocketPath(stateDir()) } : { port };
  return new Promise((resolve) => {
    const all = { "content-type": "application/json", ...headers };
    const options = { ...where, path, method: "POST", headers: all, agent: false };
    const request = httpRequest(options, (response) => {
      response.resume();
      response.on("end", () => resolve(response.statusCode ?? 0));
    });
    request.on("error", () => resolve(0));
    request.end(body);
  });
}

async function overHttp(port: number): Promise<readonly number[]> {
  const json = JSON.stringify;
  const account = { user: "alice", password: SECRET };
  const bearer = { authorization: `Bearer ${TOKEN}` };
  const statuses: number[] = [];
  for (const asked of [
    { path: "/v1/account/create", body: json(account) },
    { path: "/v1/account/create", body: json(account) },
    {
      path: "/v1/account/set",
      body: json({ ...account, password: `${SECRET}1` }),
      headers: bearer,
      port,
    },
    { path: "/v1/account/create", body: `{"user": "bob", "password": "${SECRET}` },
    { path: "/v1/account/create", body: json({ user: "bob", passwort: SECRET }) },
    { path: `/v1/account/create?password=${SECRET}`, body: "{}" },
    { path: `/v1/${SECRET}`, body: "{}" },
    { path: "/v1/target/create", body: "{}", headers: { authorization: `Bearer ${SECRET}` }, port },
    { path: "/v1/target/create", body: "{}", headers: { authorization: SECRET }, port },
    {
      path: "/v1/target/auth",
      body: json({
        target: DISK,
        users: [account],
        mutual: { user: "us", password: `${SECRET}2` },
      }),
    },
    { path: "/v1/target/auth", body: json({ target: OTHER, users: [account] }) },
    {
      path: "/v1/system/apply",
      body: json({
        document: stringify({ accounts: [{ user: "carol", password: `${SECRET}3` }] }),
      }),
    },
    {
      path: "/v1/system/apply",
      body: json({ document: `accounts: [{ user: x, password: ${SECRET} ]` }),
    },
  ]) {
    statuses.push(await ask(asked));
  }
  return statuses;
}

it("a daemon writes no password and no token, whatever comes to it and whatever becomes of it", async () => {
  const [port, httpPort] = [await freePort(), await freePort()];
  const sha256 = createHash("sha256").update(TOKEN).digest("hex");
  const config = {
    log: { level: "trace" },
    portals: [{ listen: `127.0.0.1:${port}` }],
    volumes: { a: { driver: "memory", size: "1MiB" } },
    targets: [
      {
        name: OTHER,
        luns: [{ lun: 0, volume: "a" }],
        auth: { accounts: [{ user: "host", password: `${SECRET}6` }] },
      },
    ],
    http: { listen: `127.0.0.1:${httpPort}`, tokens: [{ name: "me", role: "admin", sha256 }] },
  };
  const file = join(folder, "c.yaml");
  writeFileSync(file, stringify(config), { mode: 0o600 });
  const ready = join(folder, "ready");
  const args = ["--config", file, "--state-dir", stateDir(), "--ready-file", ready];
  daemon = new Command(["serve", ...args]);
  await daemon.portOf(ready);
  expect(await ask({ path: "/v1/target/create", body: JSON.stringify({ name: DISK }) })).toBe(200);
  expect(await overHttp(httpPort)).toEqual([
    200, 409, 200, 400, 400, 400, 404, 401, 401, 200, 409, 200, 400,
  ]);
  const where = { address: "127.0.0.1", port, initiatorName: DISK.replace("disk", "host") };
  const chap = (user: string, secret: string) =>
    connect({ ...where, targetName: OTHER, chap: { user, secret } });
  await expect(chap("host", `${SECRET}7`)).rejects.toThrow();
  const session = await chap("host", `${SECRET}6`);
  await session.logout();
  await expect(chap(SECRET, SECRET)).rejects.toThrow();
  daemon.child.kill("SIGHUP");
  writeFileSync(file, `${stringify(config)}x: ${SECRET}\n`, { mode: 0o600 });
  daemon.child.kill("SIGHUP");
  const { status, stdout, stderr } = await daemon.stop();
  expect(status).toBe(0);
  expect(stdout).toContain('"part":"audit"');
  expect(stdout).toContain('"operation":"account/create"');
  const lines = `${stdout}${stderr}`.split("\n").filter((line) => line.includes(MARK));
  expect(lines).toEqual([]);
});

it("what tgtadm is given as a password is in no line, at whatever level, and in no answer", async () => {
  const faces = await Faces.make();
  try {
    const mode = (line: string) => faces.bench.ask(`--lld iscsi --mode ${line}`);
    const account = (user: string, password: string) =>
      mode(`account --op new --user ${user} --password ${password}`);
    const endings = [
      await account("dave", `${SECRET}1`),
      await account("dave", `${SECRET}2`),
      await account("x".repeat(300), SECRET),
      await account("erin", SECRET.repeat(200)),
      await mode("account --op bind --tid 1 --user dave"),
      await mode("account --op bind --tid 1 --user dave --outgoing"),
      await mode("account --op show"),
      await mode("target --op show"),
      await mode("account --op delete --user dave"),
    ];
    const [made, ...others] = endings.map(({ status }) => status);
    expect([made, others.slice(0, 3)]).toEqual([0, [22, 22, 22]]);
    expect(inspect(endings)).not.toContain(MARK);
    const { lines } = faces.bench.harness;
    const told = inspect(lines, { depth: 30, maxArrayLength: null, maxStringLength: null });
    expect(told).toContain("tgt account new");
    expect(told).not.toContain(MARK);
  } finally {
    await faces.dispose();
  }
});
