import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { inspect } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { audited } from "../../../src/control/operations/audited.ts";
import { OPERATION_NAMES, OPERATIONS } from "../../../src/control/operations/table.ts";
import type { OperationName } from "../../../src/control/protocol.ts";
import { type LogLine, recordingLog } from "../../support/recording-log.ts";
import { DaemonBench, DISK, HOST, MIB } from "./support/daemon-bench.ts";
import { OperationBench } from "./support/operation-bench.ts";

/** What no line of a log may have, of any of the passwords here. */
const MARK = "XyZzY";
const SECRET = `${MARK}-wonderland`;
const OTHER_SECRET = `${MARK}-lookingglass`;

const OTHER = "iqn.2026-11.net.example:other";
const MOVED = "iqn.2026-11.net.example:moved";

/** Those that change nothing that is kept, though they are no mere questions. */
const CHANGE_NOTHING: readonly OperationName[] = [
  // What is written to a volume that is being imported is data, as initiators' writes are; that it was made and named is told.
  "volume/write",
  "volume/sync",
  "pool/check",
  "job/cancel",
  "tgt/dump",
];

interface Step {
  readonly operation: OperationName;
  readonly body: object | ((folder: string) => object);
  /** What of the changes is told. */
  readonly changes: readonly object[];
}

function tgtDocument(password: string): object {
  const target = {
    name: MOVED,
    tid: null,
    incoming: ["bob"],
    outgoing: null,
    addresses: ["ALL"],
    initiatorNames: [],
    settings: [],
    luns: [],
  };
  const wanted = {
    targets: [target],
    accounts: [{ user: "bob", password }],
    discovery: null,
    system: [],
  };
  return { wanted, remove: [], spareOthers: false, onlyNew: false, force: false, dryRun: false };
}

function applied(password: string): string {
  const auth = { accounts: [{ user: "carol", password }] };
  return stringify({ targets: [{ name: OTHER, luns: [], auth }] });
}

const SIZE = 8 * MIB;

/** A story in which each operation that changes something has its part. */
const STORY: readonly Step[] = [
  {
    operation: "pool/create",
    body: (folder) => ({
      pool: "tank",
      devices: [join(folder, "tank.img")],
      createBytes: 64 * MIB,
    }),
    changes: [{ action: "create", kind: "pool", name: "tank" }],
  },
  {
    operation: "pool/set",
    body: { pool: "tank", thresholds: [0.5] },
    changes: [
      {
        action: "change",
        kind: "pool",
        name: "tank",
        fields: [{ field: "thresholds", after: [0.5] }],
      },
    ],
  },
  {
    operation: "pool/extend",
    body: (folder) => ({ pool: "tank", add: join(folder, "more.img"), createBytes: 64 * MIB }),
    changes: [{ action: "change", kind: "pool", name: "tank", fields: [{ field: "devices" }] }],
  },
  {
    operation: "volume/create",
    body: { pool: "tank", volume: "a", sizeBytes: SIZE },
    changes: [
      { action: "create", kind: "volume", name: "tank/a", thing: { name: "a", sizeBytes: SIZE } },
    ],
  },
  {
    operation: "volume/resize",
    body: { pool: "tank", volume: "a", sizeBytes: 2 * SIZE },
    changes: [
      {
        action: "change",
        kind: "volume",
        name: "tank/a",
        fields: [{ field: "sizeBytes", before: SIZE, after: 2 * SIZE }],
      },
    ],
  },
  {
    operation: "volume/set",
    body: { pool: "tank", volume: "a", quotaBytes: SIZE },
    changes: [
      {
        action: "change",
        kind: "volume",
        name: "tank/a",
        fields: [{ field: "quotaBytes", before: 0, after: SIZE }],
      },
    ],
  },
  {
    operation: "volume/rename",
    body: { pool: "tank", volume: "a", name: "b" },
    changes: [
      {
        action: "change",
        kind: "volume",
        name: "tank/a",
        fields: [{ field: "name", before: "a", after: "b" }],
      },
    ],
  },
  {
    operation: "snapshot/create",
    body: { pool: "tank", copies: [{ volume: "b", name: "s" }] },
    changes: [{ action: "create", kind: "snapshot", name: "tank/s", thing: { of: "b" } }],
  },
  {
    operation: "snapshot/rollback",
    body: { pool: "tank", volume: "b", source: "s" },
    changes: [
      {
        action: "change",
        kind: "volume",
        name: "tank/b",
        fields: [{ field: "content", after: "s" }],
      },
    ],
  },
  {
    operation: "snapshot/delete",
    body: { pool: "tank", volume: "s" },
    changes: [{ action: "delete", kind: "volume", name: "tank/s" }],
  },
  {
    operation: "target/create",
    body: { name: DISK },
    changes: [{ action: "create", kind: "target", name: DISK, thing: { name: DISK } }],
  },
  {
    operation: "target/map",
    body: { target: DISK, volume: "tank/b" },
    changes: [
      { action: "create", kind: "volume", name: "tank/b", thing: { driver: "thin" } },
      { action: "change", kind: "target", name: DISK },
    ],
  },
  {
    operation: "target/set",
    body: { target: DISK, alias: "mine" },
    changes: [{ kind: "target", fields: [{ field: "alias", after: "mine" }] }],
  },
  {
    operation: "target/allow",
    body: { target: DISK, addresses: ["127.0.0.1"] },
    changes: [{ kind: "target", name: DISK }],
  },
  {
    operation: "lun/set",
    body: { target: DISK, lun: 0, readOnly: true },
    changes: [{ action: "change", kind: "target", name: DISK }],
  },
  { operation: "session/logout", body: { target: DISK }, changes: [{ thing: { target: DISK } }] },
  {
    operation: "target/deny",
    body: { target: DISK, addresses: ["127.0.0.1"], open: true },
    changes: [{ kind: "target", name: DISK }],
  },
  {
    operation: "account/create",
    body: { user: "alice", password: SECRET },
    changes: [
      {
        action: "create",
        kind: "account",
        name: "alice",
        thing: { user: "alice", password: "(hidden)" },
      },
    ],
  },
  {
    operation: "target/auth",
    body: {
      target: DISK,
      users: [{ user: "alice" }],
      mutual: { user: "us", password: OTHER_SECRET },
    },
    changes: [{ action: "change", kind: "target", name: DISK, fields: [{ field: "auth" }] }],
  },
  {
    operation: "account/set",
    body: { user: "alice", password: `${SECRET}1` },
    changes: [
      { action: "change", kind: "target", name: DISK },
      {
        action: "change",
        kind: "account",
        name: "alice",
        fields: [{ field: "password", before: "(hidden)", after: "(hidden)" }],
      },
    ],
  },
  {
    operation: "target/unmap",
    body: { target: DISK, lun: 0 },
    changes: [
      { action: "delete", kind: "volume", name: "tank/b", thing: { driver: "thin" } },
      { action: "change", kind: "target", name: DISK },
    ],
  },
  {
    operation: "target/delete",
    body: { target: DISK },
    changes: [{ action: "delete", kind: "target", name: DISK, thing: { alias: "mine" } }],
  },
  {
    operation: "account/delete",
    body: { user: "alice" },
    changes: [{ action: "delete", kind: "account", name: "alice" }],
  },
  {
    operation: "portal/create",
    body: { listen: "127.0.0.2:0" },
    changes: [{ action: "create", kind: "portal" }],
  },
  {
    operation: "portal/delete",
    body: { listen: "127.0.0.2:0" },
    changes: [{ action: "delete", kind: "portal" }],
  },
  {
    operation: "system/apply",
    body: { document: applied(SECRET) },
    changes: [{ action: "create", kind: "target", name: OTHER }],
  },
  {
    operation: "tgt/apply",
    body: tgtDocument(SECRET),
    changes: [
      { action: "create", kind: "target", name: MOVED },
      { action: "create", kind: "account", name: "bob" },
    ],
  },
  {
    operation: "volume/delete",
    body: { pool: "tank", volume: "b" },
    changes: [{ action: "delete", kind: "volume", name: "tank/b" }],
  },
  {
    operation: "pool/remove",
    body: { pool: "tank" },
    changes: [{ action: "delete", kind: "pool", name: "tank" }],
  },
  {
    operation: "pool/add",
    body: (folder) => ({
      pool: "tank",
      devices: [join(folder, "tank.img"), join(folder, "more.img")],
    }),
    changes: [{ action: "create", kind: "pool", name: "tank" }],
  },
];

let bench: DaemonBench;

beforeEach(async () => {
  bench = await DaemonBench.make();
});

afterEach(() => bench.dispose());

function entries(): readonly LogLine[] {
  return bench.harness.lines.filter(({ message }) => message === "changed");
}

/** All that was logged, with errors and what caused them. */
function everythingLogged(): string {
  return inspect(bench.harness.lines, { depth: 30, maxArrayLength: null, maxStringLength: null });
}

async function play(until?: OperationName): Promise<void> {
  for (const { operation, body } of STORY) {
    if (operation === until) return;
    if (operation === "session/logout") await bench.login();
    await bench.attempt(operation, typeof body === "function" ? body(bench.folder) : body);
  }
}

describe("the audit", () => {
  it("has a part in the story below for each operation that changes something", () => {
    const told = STORY.map(({ operation }) => operation);
    const changing = OPERATION_NAMES.filter((name) => OPERATIONS[name].isReading !== true);
    expect([...told, ...CHANGE_NOTHING].toSorted()).toEqual([...changing].toSorted());
  });

  it("has one entry for each operation that has changed something: who, what and the difference", async () => {
    for (const { operation, body, changes } of STORY) {
      if (operation === "session/logout") await bench.login();
      const before = entries().length;
      await bench.attempt(operation, typeof body === "function" ? body(bench.folder) : body);
      const added = entries().slice(before);
      expect(added, operation).toMatchObject([{ fields: { by: "tester", operation } }]);
      const told = added[0]?.fields["changes"] as readonly object[];
      for (const change of changes) {
        expect(told, operation).toContainEqual(expect.objectContaining(asked(change)));
      }
    }
    expect(everythingLogged()).not.toContain(MARK);
  });

  it("has no entry where nothing was changed, and nothing of the passwords that were refused", async () => {
    await play("target/unmap");
    const before = entries().length;
    const refused: readonly (readonly [OperationName, object])[] = [
      ["account/create", { user: "alice", password: SECRET }],
      ["account/create", { user: "x".repeat(300), password: SECRET }],
      ["account/create", { user: "dave", password: SECRET.repeat(60) }],
      ["account/create", { user: "dave", passwort: SECRET }],
      ["account/set", { user: "nobody", password: SECRET }],
      ["account/set", { user: "alice", password: [SECRET] }],
      ["target/auth", { target: "iqn.none", users: [{ user: "a", password: SECRET }] }],
      ["target/auth", { target: DISK, users: [{ user: "a", password: { of: SECRET } }] }],
      ["target/auth", { target: DISK, mutual: { user: "alice", password: `${SECRET}1` } }],
      ["system/apply", { document: `${applied(SECRET)}\n- ][` }],
      ["system/apply", { document: applied(SECRET).replace("carol", "x".repeat(300)) }],
      ["system/apply", { document: `accounts: [{ user: dave, password: ${SECRET}, x: 1 }]` }],
      ["system/apply", { document: `accounts: { dave: ${SECRET} }` }],
      ["tgt/apply", tgtDocument(SECRET.repeat(60))],
    ];
    for (const [name, body] of refused) {
      const attempt = bench.attempt(name, body);
      const problem = await attempt.then(
        () => null,
        (error: unknown) => error as Error,
      );
      expect(problem, `${name} ${JSON.stringify(body).slice(0, 100)}`).not.toBe(null);
      // Whoever runs commands by a script keeps what they say.
      expect(problem?.message).not.toContain(MARK);
    }
    await bench.attempt("tgt/dump", { withSecrets: true });
    await bench.attempt("pool/check", { pool: "tank" });
    await bench.attempt("volume/sync", { pool: "tank", volume: "b" });
    expect(entries().length).toBe(before);
    expect(everythingLogged()).not.toContain(MARK);
  });

  it("has no entry for what could not be done after it had begun", async () => {
    await play("target/unmap");
    const path = join(bench.folder, "small");
    writeFileSync(path, "x");
    const before = entries().length;
    for (const [name, body] of [
      ["target/map", { target: DISK, path }],
      ["pool/add", { pool: "other", devices: [path] }],
      ["pool/extend", { pool: "tank", add: path }],
      ["portal/create", { listen: "192.0.2.1:3260" }],
      ["volume/create", { pool: "tank", volume: "b", sizeBytes: SIZE }],
      ["volume/delete", { pool: "tank", volume: "b" }],
      ["volume/rename", { pool: "tank", volume: "b", name: "no/name" }],
    ] as const) {
      await expect(bench.attempt(name, body), name).rejects.toThrow();
    }
    expect(entries().length).toBe(before);
  });

  it("has one entry where the pool and what leads to it change together", async () => {
    await play("volume/rename");
    const document = stringify({
      volumes: { x: { driver: "thin", pool: "tank", name: "a", size: 2 * SIZE } },
      targets: [{ name: DISK, luns: [{ lun: 0, volume: "x" }] }],
    });
    await bench.attempt("system/apply", { document });
    const before = entries().length;
    await bench.attempt("volume/resize", { pool: "tank", volume: "a", sizeBytes: 3 * SIZE });
    expect(entries().slice(before)).toMatchObject([
      { fields: { operation: "volume/resize", changes: [{ name: "tank/a" }, { name: "x" }] } },
    ]);
    await bench.attempt("volume/rename", { pool: "tank", volume: "a", name: "c" });
    const last = entries().slice(before + 1);
    expect(last).toHaveLength(1);
    expect(last[0]?.fields["changes"]).toMatchObject([{ name: "tank/a" }, { name: "x" }]);
  });

  it("is in the log of a command that works on a pool by itself", async () => {
    const alone = await OperationBench.make();
    await alone.run("volume/create", { pool: "tank", volume: "a", sizeBytes: MIB });
    expect(alone.lines).toMatchObject([
      { message: "changed", fields: { operation: "volume/create", changes: [{}] } },
    ]);
    await alone.dispose();
    const lines: LogLine[] = [];
    const context = { ...alone.context, log: recordingLog(lines) };
    const request = { context, body: {}, payload: new Uint8Array(0), progress: () => undefined };
    audited({ ...request, by: HOST }, "x/y", [{ action: "create", kind: "volume", name: "a" }]);
    expect(lines).toMatchObject([{ fields: { by: HOST, operation: "x/y" } }]);
  });
});

/** Objects and lists within may have more than is asked for. */
function asked(change: object): object {
  return Object.fromEntries(
    Object.entries(change).map(([key, value]: [string, unknown]) => {
      if (Array.isArray(value)) {
        const all = value.map((one) =>
          typeof one === "object" && one !== null
            ? (expect.objectContaining(one as object) as unknown)
            : (one as unknown),
        );
        return [key, expect.arrayContaining(all)];
      }
      const isObject = typeof value === "object" && value !== null;
      return [key, isObject ? (expect.objectContaining(value) as unknown) : value];
    }),
  );
}
