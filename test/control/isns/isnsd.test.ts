import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  addressAttribute,
  numberAttribute,
  textAttribute,
} from "../../../src/control/isns/attribute.ts";
import { IsnsClient } from "../../../src/control/isns/client.ts";
import { IsnsConnection } from "../../../src/control/isns/connection.ts";
import { IsnsFunction, IsnsTag, NodeType } from "../../../src/control/isns/constants.ts";
import type { IsnsAnswer } from "../../../src/control/isns/message.ts";
import { defaultEntity, hostAddresses, systemNetwork } from "../../../src/control/isns/network.ts";
import { systemClock } from "../../../src/util/clock.ts";
import { silentLog } from "../../../src/util/log.ts";
import { hasProgram } from "../../support/debian-packages.ts";
import { spawnMortal } from "../../support/mortal-child.ts";

const A = "iqn.2026-11.net.example:a";
const HOST = "iqn.2026-11.net.example:host";

/** Waits for what another process brings about. */
async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await sleep(20);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" && address !== null ? address.port : 0;
}

async function answers(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  const event = await Promise.race([
    once(socket, "connect").then(() => true),
    once(socket, "error").then(() => false),
  ]).catch(() => false);
  socket.destroy();
  return event;
}

it("knows the addresses of this host, and its name", () => {
  expect(hostAddresses()).not.toContain("127.0.0.1");
  expect(defaultEntity()).toMatch(/^thinlun\../);
});

it("does not wait for a server that is not there", async () => {
  await expect(systemNetwork.connect("127.0.0.1", await freePort())).rejects.toThrow(
    "ECONNREFUSED",
  );
});

describe.skipIf(!hasProgram("isnsd"))("Open-iSNS", () => {
  let folder: string;
  let port: number;
  let stop: () => Promise<void>;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "thinlun-isns-"));
    port = await freePort();
    const config = join(folder, "isnsd.conf");
    const lines = [
      "SourceName = iqn.2026-11.net.example:isns",
      `Database = ${folder}/db`,
      `BindAddress = 127.0.0.1:${port}`,
      `ControlSocket = ${folder}/control`,
      `PIDFile = ${folder}/pid`,
      "Security = 0",
      "DefaultDiscoveryDomain = 1",
    ];
    await writeFile(config, `${lines.join("\n")}\n`);
    const server = spawnMortal("isnsd", ["-f", "-c", config], {
      ...process.env,
      PATH: `${process.env["PATH"] ?? ""}:/usr/sbin`,
    });
    const closed = once(server, "close");
    await until(() => answers(port));
    stop = async () => {
      server.kill("SIGKILL");
      await closed;
      await rm(folder, { recursive: true });
    };
  });

  afterEach(() => stop());

  /** Asks as an initiator of another host would. */
  async function asInitiator(
    functionId: number,
    key: boolean,
    rest: Parameters<IsnsConnection["request"]>[1],
  ): Promise<IsnsAnswer> {
    const stream = await systemNetwork.connect("127.0.0.1", port);
    const connection = new IsnsConnection({
      stream,
      clock: systemClock,
      onChange: () => undefined,
    });
    const entity = key ? [textAttribute(IsnsTag.entity, "another")] : [];
    const delimiter = { tag: IsnsTag.delimiter, value: Buffer.alloc(0) };
    const answer = await connection.request(functionId, [
      textAttribute(IsnsTag.node, HOST),
      ...entity,
      delimiter,
      ...rest,
    ]);
    connection.close();
    return answer;
  }

  const registerInitiator = (): Promise<IsnsAnswer> =>
    asInitiator(IsnsFunction.register, true, [
      textAttribute(IsnsTag.entity, "another"),
      numberAttribute(IsnsTag.entityProtocol, 2),
      addressAttribute(IsnsTag.portalAddress, "127.0.0.2"),
      numberAttribute(IsnsTag.portalPort, 3260),
      textAttribute(IsnsTag.node, HOST),
      numberAttribute(IsnsTag.nodeType, NodeType.initiator),
    ]);

  it("is told of targets, tells of initiators that come and go, and forgets", async () => {
    expect(await registerInitiator()).toMatchObject({ status: 0 });
    const client = new IsnsClient({
      network: systemNetwork,
      clock: systemClock,
      log: silentLog,
      entity: "thinlun.test",
    });
    client.configure({
      enabled: true,
      serverAddress: "127.0.0.1",
      serverPort: port,
      accessControl: true,
    });
    const portal = { endpoint: { address: "127.0.0.1", port: 3260 }, group: 1 };
    const target = { name: A, alias: "first", portalGroups: [] };
    client.register({ targets: [target], portals: [portal] });
    // In no discovery domain, both are in the default one.
    await until(() => client.allows(A, HOST));
    expect(client.allows(A, "iqn.2026-11.net.example:other")).toBe(false);
    expect(
      await asInitiator(IsnsFunction.deregister, false, [textAttribute(IsnsTag.entity, "another")]),
    ).toMatchObject({ status: 0 });
    await until(() => !client.allows(A, HOST));
    expect(await registerInitiator()).toMatchObject({ status: 0 });
    await until(() => client.allows(A, HOST));
    const seen = async (): Promise<readonly number[]> => {
      const stream = await systemNetwork.connect("127.0.0.1", port);
      const connection = new IsnsConnection({
        stream,
        clock: systemClock,
        onChange: () => undefined,
      });
      const { attributes } = await connection.request(IsnsFunction.query, [
        textAttribute(IsnsTag.node, HOST),
        numberAttribute(IsnsTag.nodeType, NodeType.target),
        { tag: IsnsTag.delimiter, value: Buffer.alloc(0) },
        ...[IsnsTag.node, IsnsTag.alias, IsnsTag.portalAddress, IsnsTag.groupTag].map((tag) => ({
          tag,
          value: Buffer.alloc(0),
        })),
      ]);
      connection.close();
      const at = attributes.findIndex(({ tag }) => tag === IsnsTag.delimiter);
      expect(attributes.slice(at + 1).filter(({ tag }) => tag === IsnsTag.node)).toEqual(
        attributes.slice(at + 1).length === 0 ? [] : [textAttribute(IsnsTag.node, A)],
      );
      return attributes.slice(at + 1).map(({ tag }) => tag);
    };
    expect(await seen()).toContain(IsnsTag.node);
    await client.close();
    expect(await seen()).toEqual([]);
  });
});
