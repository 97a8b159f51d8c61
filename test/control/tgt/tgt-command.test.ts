import { describe, expect, it } from "vitest";
import {
  MODES,
  NO_LUN,
  NO_TARGET_ID,
  OPERATIONS,
  type TgtMode,
  type TgtOperation,
  type TgtRequest,
} from "../../../src/control/tgt/request.ts";
import { toCommand } from "../../../src/control/tgt/tgt-command.ts";
import { chooseSeed, SeededRandom } from "../../../src/util/random.ts";

function request(
  mode: TgtMode,
  operation: TgtOperation,
  text?: string,
  more: Partial<TgtRequest> = {},
): TgtRequest {
  return {
    mode: MODES.indexOf(mode),
    operation: OPERATIONS.indexOf(operation),
    driver: "iscsi",
    targetId: 1,
    sessionId: 0n,
    lun: NO_LUN,
    connectionId: 0,
    hostNumber: 0,
    deviceType: 0,
    accountDirection: 0,
    pack: 0,
    force: 0,
    text,
    ...more,
  };
}

function refused(error: string, ...after: readonly string[]): object {
  return { kind: "refused", error, after };
}

/** What each mode does with each operation and no text: `ok`, or the error of tgtd 1.0.85; `!` where that crashed. */
const MATRIX: Readonly<Record<TgtMode, readonly string[]>> = {
  system: ["invalid", "ok", "ok", "invalid", "invalid", "!", "ok", "invalid", "invalid"],
  target: ["!", "ok", "ok", "ok", "ok", "!", "ok", "invalid", "invalid"],
  logicalunit: ["ok", "ok", ...Array<string>(3).fill("unsupported"), "ok", "ok"].concat(
    Array<string>(2).fill("unsupported"),
  ),
  portal: ["!", "!", "ok", ...Array<string>(6).fill("invalid")],
  lld: ["invalid", "invalid", "ok", ...Array<string>(4).fill("invalid"), "ok", "ok"],
  session: [...Array<string>(6).fill("invalid"), "ok", "invalid", "invalid"],
  connection: ["invalid", "ok", "ok", "invalid", "invalid", "invalid", "ok", "invalid", "invalid"],
  account: ["!", "!", "ok", "!", "!", ...Array<string>(4).fill("unsupported")],
};

describe("each mode and operation", () => {
  const cases = MODES.flatMap((mode) =>
    OPERATIONS.map((operation, index) => [mode, operation, MATRIX[mode][index] ?? ""] as const),
  );
  it.each(cases)("%s %s: %s", (mode, operation, expected) => {
    const command = toCommand(request(mode, operation));
    const answer = command.kind === "refused" ? command.error : "ok";
    const crashed = ["invalid-request", "unsupported-operation"];
    const wanted = { ok: ["ok"], invalid: crashed.slice(0, 1), unsupported: crashed.slice(1) };
    expect(wanted[expected as keyof typeof wanted] ?? crashed).toContain(answer);
  });

  it("is refused past the last one", () => {
    const good = request("target", "show");
    expect(toCommand({ ...good, operation: 9 })).toEqual(refused("invalid-request"));
    expect(toCommand({ ...good, mode: 8 })).toEqual(refused("invalid-request"));
    expect(toCommand({ ...request("account", "show"), operation: 0xffff_ffff })).toEqual(
      refused("unsupported-operation"),
    );
  });

  it.each(["nope", "ISCSI", "iscsix", "a".repeat(64), "constructor"])(
    "is refused for the driver %s, before all else",
    (driver) => {
      const known = request("system", "new");
      expect(toCommand({ ...known, driver })).toEqual(refused("no-driver"));
    },
  );

  it("is refused for the driver that has not started, unless it is about drivers", () => {
    for (const mode of MODES) {
      for (const operation of OPERATIONS) {
        const { kind, ...rest } = toCommand(request(mode, operation, "user=a", { driver: "iser" }));
        const isMissing = kind === "refused" && "error" in rest && rest.error === "no-driver";
        expect(isMissing, `${mode} ${operation}`).toBe(mode !== "lld");
      }
    }
  });
});

/** Requests of the kinds that tgtd 1.0.85 takes, and what they ask for. */
const GOOD: readonly (readonly [TgtRequest, object])[] = [
  [
    request("target", "new", "targetname=iqn.a:b"),
    { kind: "target-new", targetId: 1, name: "iqn.a:b" },
  ],
  [
    request("target", "new", "targetname=iqn.c,foo=bar"),
    { kind: "target-new", targetId: 1, name: "iqn.c" },
  ],
  [
    request("target", "new", "targetname=iqn.1,targetname=iqn.2", { driver: "" }),
    { kind: "target-new", targetId: 1, name: "iqn.2" },
  ],
  [
    request("target", "delete", undefined, { force: 1 }),
    { kind: "target-delete", targetId: 1, force: true },
  ],
  [
    request("target", "show", undefined, { targetId: NO_TARGET_ID }),
    { kind: "target-show", targetId: undefined },
  ],
  [request("target", "show"), { kind: "target-show", targetId: 1 }],
  [
    request("target", "bind", "initiator-address=A,initiator-name=B"),
    {
      kind: "target-bind",
      targetId: 1,
      access: { initiatorAddress: "A,initiator-name=B", initiatorName: "B" },
    },
  ],
  [
    request("target", "unbind", "initiator-name=a,b=c"),
    {
      kind: "target-unbind",
      targetId: 1,
      access: { initiatorAddress: undefined, initiatorName: "a,b=c" },
    },
  ],
  [
    request("target", "bind", undefined, { hostNumber: 4 }),
    { kind: "target-bind-host", targetId: 1, hostNumber: 4 },
  ],
  [
    request("target", "update", "state=offline"),
    { kind: "target-update", targetId: 1, setting: { key: "state", value: "offline" } },
  ],
  [
    request("target", "update", "maxqueuecmd=9"),
    { kind: "target-update", targetId: 1, setting: { key: "MaxQueueCmd", value: "9" } },
  ],
  [
    request("logicalunit", "new", "path=/srv/a,bsoflags=sync:direct,blocksize=4096", { lun: 1n }),
    {
      kind: "lun-new",
      targetId: 1,
      lun: 1n,
      unit: {
        path: "/srv/a",
        backingStoreType: undefined,
        backingStoreOptions: undefined,
        sync: true,
        direct: true,
        blockSizeBytes: 4096,
        deviceType: 0,
      },
    },
  ],
  [
    request("logicalunit", "new", "foo=1,path=/a,b=c,path=,bstype=aio,bsopts=x y", {
      lun: 2n,
      deviceType: 5,
    }),
    {
      kind: "lun-new",
      targetId: 1,
      lun: 2n,
      unit: {
        path: "/a",
        backingStoreType: "aio",
        backingStoreOptions: "x y",
        sync: false,
        direct: false,
        blockSizeBytes: undefined,
        deviceType: 5,
      },
    },
  ],
  [
    request("logicalunit", "delete", undefined, { lun: NO_LUN }),
    { kind: "lun-delete", targetId: 1, lun: NO_LUN },
  ],
  [
    request("logicalunit", "update", "targetOps scsi_id=a,readonly=1,", { lun: 1n }),
    {
      kind: "lun-update",
      targetId: 1,
      lun: 1n,
      settings: [
        { key: "scsi_id", value: "a" },
        { key: "readonly", value: "1" },
      ],
    },
  ],
  [
    request("portal", "new", "portalOps portal=127.0.0.1:38261,"),
    { kind: "portal-new", portals: [{ address: "127.0.0.1", port: 38261 }] },
  ],
  [
    request("portal", "delete", "foo=1,portal=[::1]:38264,x=1,portal=h"),
    {
      kind: "portal-delete",
      portals: [
        { address: "::1", port: 38264 },
        { address: "h", port: 3260 },
      ],
    },
  ],
  [
    request("portal", "new", "portal="),
    { kind: "portal-new", portals: [{ address: "", port: 3260 }] },
  ],
  [request("lld", "stop", undefined, { driver: "iser" }), { kind: "lld-stop", driver: "iser" }],
  [
    request("session", "stat", undefined, { sessionId: 4n }),
    { kind: "session-stat", targetId: 1, sessionId: 4n },
  ],
  [
    request("connection", "delete", undefined, { sessionId: 77n, connectionId: 3 }),
    { kind: "connection-delete", targetId: 1, sessionId: 77n, connectionId: 3 },
  ],
  [
    request("account", "new", "user=a,password=se,c=r et"),
    { kind: "account-new", user: "a", password: "se,c=r et" },
  ],
  [
    request("account", "new", "user=x=y,foo=1,password="),
    { kind: "account-new", user: "x=y", password: "" },
  ],
  [request("account", "delete", "user=a,x"), { kind: "account-delete", user: "a,x" }],
  [
    request("account", "bind", "user=a", { targetId: NO_TARGET_ID, accountDirection: 1 }),
    { kind: "account-bind", targetId: undefined, user: "a", outgoing: true },
  ],
  [
    request("account", "unbind", "user=a"),
    { kind: "account-unbind", targetId: 1, user: "a", outgoing: false },
  ],
  [request("system", "update", ",,"), { kind: "system-update", settings: [] }],
  [
    request("system", "update", "debug=offx,x=1"),
    { kind: "system-update", settings: [{ key: "debug", value: "off" }] },
  ],
  [
    request("system", "update", "State=ready"),
    { kind: "system-update", settings: [{ key: "State", value: "ready" }] },
  ],
  [
    request("system", "update", "iSNSServerPort= 5"),
    { kind: "system-update", settings: [{ key: "iSNSServerPort", value: "5" }] },
  ],
];

const goodCases = GOOD.map(
  ([good, command]) =>
    [MODES[good.mode], OPERATIONS[good.operation], good.text ?? "", good, command] as const,
);
it.each(goodCases)("understands %s %s %j", (_mode, _operation, _text, good, command) => {
  expect(toCommand(good)).toEqual(command);
});

/** Texts that are invalid as for tgtd 1.0.85, by mode and operation; and what it looks up before. */
const INVALID: readonly (readonly [TgtMode, TgtOperation, string[], after: string[]])[] = [
  ["target", "new", ["targetname=iqn_g", "targetname=iqn h", "targetname=iqn:\xe9"], []],
  ["target", "bind", ["foo=bar", "initiator-address", "initiator-addressQ7.7", ""], []],
  ["target", "unbind", ["foo"], []],
  [
    "target",
    "update",
    [
      "state=bogus",
      "state=",
      "State=ready",
      "state==ready",
      "=1",
      "=",
      "x state=ready",
      "state=ready,foo=1",
      "MaxRecvDataSegmentLength=511",
      "MaxRecvDataSegmentLength=16777216",
      "MaxRecvDataSegmentLength=",
      "HeaderDigest=bogus",
      "HeaderDigest=CRC32C,foo",
      "HeaderDigest=None,",
      "InitialR2T=yes",
      "InitialR2T=Yesx",
      "RedirectReason=x",
      "MaxQueueCmd=0",
      "MaxQueueCmd=513",
      "ErrorRecoveryLevel=3",
      "DefaultTime2Wait=3601",
      "MaxConnections=65536",
      "MaxOutstandingUnexpectedPDUs=1",
      "MaxOutstandingR2T=-1",
      "MaxQueueCmd=4294967896",
      "constructor=1",
    ],
    ["target"],
  ],
  [
    "logicalunit",
    "new",
    ["path=/a,bstype=nope", "bstype=RDWR", "bsoflags=foo", "bsoflags=sync:foo", "bsoflags=Sync"],
    ["target", "free-lun"],
  ],
  [
    "logicalunit",
    "update",
    [
      "foo=1",
      "scsi_id=",
      "scsi_id",
      "targetOps scsi_id=a,foo=1,",
      "scsi_id=a,b",
      "readonly=",
      "targetOpsX readonly=0",
      "targetOps targetOps readonly=0,",
      "Readonly=1",
      " readonly=1",
      "swp=1",
      "element_type=1",
    ],
    ["target", "lun"],
  ],
  [
    "portal",
    "new",
    ["portal", "foo=1", "portalOps foo=1,", "portal=127.0.0.1:99999,", "portal=a:b", ""],
    [],
  ],
  [
    "account",
    "new",
    ["user=bob", "password=q", "password=z,user=e", "user", "userk,password=1"],
    [],
  ],
  ["account", "bind", ["foo=alice"], []],
  ["account", "delete", ["foo=alice", "user"], []],
  [
    "system",
    "update",
    [
      "debug=1",
      "debug=",
      "debug",
      "Debug=on",
      "debug=ON",
      "xdebug=on",
      ",debug=off",
      "=",
      "foo=1,debug=on",
      "State=x",
      "State=readyx",
      "state=ready",
      "iSNS=x",
      "iSNS=Offx",
      "iSNS=",
      "iSNSServerPort=x",
      "iSNSServerPort=5x",
      "iSNSServerPort=",
      "iSNSServerIP=",
      "bogus=1",
    ],
    [],
  ],
];

describe("is told that it is invalid:", () => {
  const cases = INVALID.flatMap(([mode, operation, texts, after]) =>
    texts.map((text) => [mode, operation, text, after] as const),
  );
  it.each(cases)("%s %s %j", (mode, operation, text, after) => {
    expect(toCommand(request(mode, operation, text))).toEqual(refused("invalid-request", ...after));
  });

  it("a name too long, and a target without name or number", () => {
    const long = (length: number): TgtRequest =>
      request("target", "new", `targetname=${"a".repeat(length)}`);
    expect(toCommand(long(223))).toMatchObject({ kind: "target-new" });
    expect(toCommand(long(224))).toEqual(refused("invalid-request"));
    expect(toCommand(long(0))).toEqual(refused("invalid-request"));
    expect(toCommand({ ...long(9), targetId: 0 })).toEqual(refused("invalid-request"));
  });

  it("a type of device that there is not, and the controller's deletion", () => {
    const made = [...Array(34).keys(), 0xffff_ffff].filter(
      (deviceType) =>
        toCommand(request("logicalunit", "new", "", { deviceType })).kind !== "refused",
    );
    expect(made).toEqual([0, 1, 5, 8, 12, 17]);
    const controller = request("logicalunit", "delete", undefined, { lun: 0n });
    expect(toCommand(controller)).toEqual(refused("invalid-request"));
  });

  it("and of others, by their own errors", () => {
    const update = request("target", "update", "state");
    expect(toCommand(update)).toEqual(refused("unsupported-operation", "target"));
    const iser = { driver: "iser" };
    expect(toCommand(request("lld", "start", undefined, iser))).toEqual(refused("unknown"));
  });
});

it.each([
  ["HeaderDigest", ["None", "CRC32C,None", "NoneX"]],
  ["MaxRecvDataSegmentLength", ["512", "0x400", " 1024", "1024x", "16777215", "4294967896"]],
  ["MaxOutstandingUnexpectedPDUs", ["-1", "0", "2"]],
  ["DefaultTime2Retain", ["", "0", "3600"]],
  ["OFMarkInt", ["Reject", "", "9"]],
  ["nop_count", ["5", "x", ""]],
  ["RedirectReason", ["Temporary", "Permanent", "Temporaryx"]],
])("takes for %s each of %j", (key, values) => {
  for (const value of values) {
    expect(toCommand(request("target", "update", `${key}=${value}`))).toMatchObject({
      setting: { key, value },
    });
  }
});

it("answers any request, whatever is in it", () => {
  const seed = chooseSeed(process.env);
  const random = new SeededRandom(seed);
  const words = [
    "portal",
    "user",
    "path",
    "=",
    ",",
    "targetOps ",
    "state",
    "password",
    "\xff",
    ":",
    "[",
  ];
  for (let round = 0; round < 5000; round += 1) {
    const text = Array.from({ length: random.below(8) }, () => random.pick(words)).join("");
    const any = request("system", "new", random.chance(0.1) ? undefined : text, {
      mode: random.below(9),
      operation: random.below(10),
      driver: random.pick(["", "iscsi", "iser", "no"]),
      targetId: random.uint32() | 0,
      deviceType: random.below(34),
    });
    expect(toCommand(any).kind, `seed ${seed}`).toMatch(/^[a-z-]+$/);
  }
});
