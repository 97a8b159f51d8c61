import { describe, expect, it } from "vitest";
import { type BadConfig, itRefuses, parse } from "./support.ts";

const SMALLEST = "volumes: {}\ntargets: []\n";

const FULL = `
stateDir: state
log: { level: debug, pretty: off }
poll: off
portals:
  - { listen: "0.0.0.0:3260", group: 1, advertise: "10.0.2.2:3261" }
  - { listen: "[::1]:0", group: 2 }
volumes:
  disk1: { driver: raw, path: disk.img, size: 1GiB, create: true }
  mem: { driver: memory, size: 64MiB, delayMs: 50, optional: true }
targets:
  - name: IQN.2026-11.net.example:Disk
    alias: first
    luns:
      - { lun: 0, volume: disk1, blockSize: 4096, product: FAST, serial: "0042" }
      - { lun: 7, volume: mem, readOnly: true }
    auth:
      accounts: [{ user: alice, password: "secretsecret12" }]
      mutual: { user: bob, passwordFile: secret }
      algorithms: [sha3-256, sha256]
    allow: { addresses: [127.0.0.0/8], initiators: ["iqn.*"], match: any }
    portalGroups: [1, 2]
    redirect: { address: "10.0.0.2:3260", permanent: true }
    parameters: { maxRecvDataSegmentLength: 512KiB, initialR2T: true, headerDigest: required }
    sessions: 8
    pings: { count: 5 }
discovery:
  enabled: true
  auth: { accounts: [{ user: carol, password: "discovery1234" }] }
  allow: { addresses: [10.0.0.0/8] }
limits: { connections: 64, pings: { interval: 0 } }
`;

describe("parseConfig", () => {
  it("fills in what is not said", () => {
    const { config, warnings, holdsSecrets } = parse(SMALLEST);
    expect(warnings).toEqual([]);
    expect(holdsSecrets).toBe(false);
    expect(config).toMatchObject({
      stateDir: null,
      log: { level: "info", pretty: "auto" },
      poll: "auto",
      portals: [{ listen: { address: "127.0.0.1", port: 3260 }, group: 1, advertise: null }],
      discovery: { enabled: true, authentication: null },
    });
  });

  it("reads everything that can be said", () => {
    const { config, holdsSecrets } = parse(FULL);
    expect(holdsSecrets).toBe(true);
    expect(config.stateDir).toBe("/etc/thinlun/state");
    expect(config.portals[0]?.advertise).toEqual({ address: "10.0.2.2", port: 3261 });
    expect(config.portals[1]?.listen).toEqual({ address: "::1", port: 0 });
    expect(config.volumes.get("disk1")).toMatchObject({
      driver: "raw",
      path: "/etc/thinlun/disk.img",
      sizeBytes: 2 ** 30,
      create: true,
    });
    expect(config.volumes.get("mem")).toMatchObject({ delayMs: 50, optional: true });
    const target = config.targets[0];
    expect(target?.name).toBe("iqn.2026-11.net.example:disk");
    expect(target?.luns).toEqual([
      {
        lun: 0,
        volume: "disk1",
        blockBytes: 4096,
        readOnly: false,
        identity: { product: "FAST", serial: "0042" },
        settings: {},
        tgt: null,
      },
      {
        lun: 7,
        volume: "mem",
        blockBytes: 512,
        readOnly: true,
        identity: {},
        settings: {},
        tgt: null,
      },
    ]);
    expect(target?.authentication?.accounts[0]?.secret.reveal()).toBe("secretsecret12");
    expect(target?.authentication?.mutual?.secret.reveal()).toBe("filesecret12");
    expect(target?.authentication?.algorithms).toEqual([8, 7]);
    expect(target?.access).toMatchObject({ match: "any", initiatorNames: ["iqn.*"] });
    expect(target?.offers).toMatchObject({
      maxRecvDataSegmentLengthBytes: 512 * 1024,
      initialR2t: true,
      headerDigest: "required",
      dataDigest: "allowed",
    });
    expect(target?.redirect).toEqual({ address: "10.0.0.2", port: 3260, permanent: true });
    expect(config.discovery.access.addresses).toEqual(["10.0.0.0/8"]);
    expect(config.limits).toEqual({ connections: 64, pings: { intervalSeconds: 0, count: 2 } });
    expect(config.targets[0]?.pings).toEqual({ count: 5 });
  });

  it("follows anchors, so that accounts can be shared", () => {
    const { config } = parse(`
volumes: { a: { driver: memory, size: 1MiB }, b: { driver: memory, size: 1MiB } }
targets:
  - { name: "iqn.2026-11.net.example:a", luns: [{ lun: 0, volume: a }], auth: &staff { accounts: [{ user: u, passwordFile: secret }] } }
  - { name: "iqn.2026-11.net.example:b", luns: [{ lun: 0, volume: b }], auth: *staff }
`);
    expect(config.targets[1]?.authentication?.accounts[0]?.user).toBe("u");
  });

  const bad: readonly BadConfig[] = [
    ["nothing at all", "", /^0:0 must be a map with the keys stateDir, log, .*not nothing/],
    ["a list", "- 1", /^1:1 must be a map .* not a list/],
    ["no volumes", "targets: []", /^1:1 the key "volumes" is missing/],
    ["a key without value", `${SMALLEST}log:`, /^3:1 log: has no value/],
    [
      "an unknown key",
      `${SMALLEST}portal: []`,
      /^3:1 unknown key "portal"; did you mean "portals"/,
    ],
    ["a far-off key", `${SMALLEST}colour: red`, /^3:1 unknown key "colour"; known are stateDir/],
    ["a key twice", `${SMALLEST}poll: off\npoll: auto`, /^4:1 Map keys must be unique/],
    ["bad YAML", "volumes: {", /^1:11 .*flow map/i],
    ["a tab", "volumes:\n\tx: 1", /^2:1 .*tab/i],
    ["an unknown alias", `${SMALLEST}log: *nowhere`, /^3:6 .*nowhere/],
    ["a wrong level", `${SMALLEST}log: { level: inof }`, /^3:15 log\.level: .*did you mean "info"/],
    ["a wrong poll", `${SMALLEST}poll: true`, /^3:7 poll: must be a text, not true; put it in/],
    ["no portals", `${SMALLEST}portals: []`, /^3:10 portals: is empty/],
    [
      "portals that collide",
      `${SMALLEST}portals:\n  - listen: 0.0.0.0:3260\n  - listen: 127.0.0.1:3260`,
      /^5:5 portals\.2: listens where 0\.0\.0\.0:3260 \(line 4\) listens already/,
    ],
    [
      "a group of 0",
      `${SMALLEST}portals: [{ listen: "1.2.3.4", group: 0 }]`,
      /from 1 to 65535, not 0/,
    ],
    ["a port to nowhere", `${SMALLEST}portals: [{ listen: "1.2.3.4:65536" }]`, /from 0 to 65535/],
    [
      "an advertised port of 0",
      `${SMALLEST}portals: [{ listen: "1.2.3.4", advertise: "1.2.3.4:0" }]`,
      /portals\.1\.advertise: the port .* from 1 to/,
    ],
    [
      "too many connections",
      `${SMALLEST}limits: { connections: 1e9 }`,
      /limits\.connections: must/,
    ],
    [
      "several things at once, in the order of the lines",
      "volumes: {}\npoll: no\ntargets: x\nlog: { level: 3 }",
      /^2:7 poll: must be one of auto, off/,
      /^3:10 targets: must be a list, not the text "x"/,
      /^4:15 log\.level: must be a text, not 3/,
    ],
  ];

  itRefuses(bad);

  it("names the file, the line and the column in what it throws", () => {
    expect(() => parse(`${SMALLEST}potals: []`)).toThrow(
      'thinlun.yaml:3:1: unknown key "potals"; did you mean "portals"?',
    );
  });
});
