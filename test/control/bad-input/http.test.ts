import { connect } from "node:net";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { controlSocketPath, type Problem } from "../../../src/control/protocol.ts";
import { TOKENS } from "../http/support/http-bench.ts";
import { DISK, Faces, MIB, OTHER, PASSWORD } from "./support/faces.ts";

/*
 * What is wrong in a request over HTTP, the documents of "apply" included: the right status, words that name what it is about, and
 * nothing changed.
 */

let faces: Faces;
let before: unknown;

beforeAll(async () => {
  faces = await Faces.make();
});

beforeEach(async () => {
  before = await faces.everything();
});

afterAll(() => faces.dispose());

const LONG = "x".repeat(300);
const LONG_IQN = `iqn.2026-11.net.example:${LONG}`;

/** Operation, arguments, status, and what the words name. */
type Mistake = readonly [string, object, number, RegExp];

const UNKNOWN: readonly Mistake[] = [
  ["target/explode", {}, 404, /target\/explode/],
  ["target/create", { name: OTHER, colour: "red" }, 400, /^"?colour"?/],
  ["volume/create", { pool: "tank", volume: "c", size: MIB }, 400, /^"?size"?/],
  [
    "target/auth",
    { target: DISK, users: [{ user: "alice", passwort: PASSWORD }] },
    400,
    /users\[0\]\."passwort"/,
  ],
  ["pool/show", { pool: "lake" }, 404, /lake/],
  ["volume/show", { pool: "tank", volume: "none" }, 404, /none/],
  ["target/show", { target: OTHER }, 404, new RegExp(OTHER)],
  ["target/map", { target: OTHER, volume: "tank/b" }, 404, new RegExp(OTHER)],
  ["target/map", { target: DISK, volume: "tank/none" }, 404, /none/],
  ["target/unmap", { target: DISK, lun: 7 }, 404, /7/],
  ["target/auth", { target: DISK, users: [{ user: "nobody" }] }, 404, /nobody/],
  ["account/delete", { user: "nobody" }, 404, /nobody/],
  ["portal/delete", { listen: "127.0.0.9:1" }, 404, /127\.0\.0\.9:1/],
];

const SIZES: readonly Mistake[] = [
  ...([0, -1, 1.5, "8MiB", "8XB", null, 2 ** 53, 1e300, [MIB]] as const).map(
    (sizeBytes): Mistake => {
      return ["volume/create", { pool: "tank", volume: "c", sizeBytes }, 400, /sizeBytes|size|c\b/];
    },
  ),
  ["volume/create", { pool: "tank", volume: "c", sizeBytes: 513 }, 400, /multiple|c\b/],
  ["volume/resize", { pool: "tank", volume: "b", sizeBytes: MIB }, 400, /\bb\b.*|shrink/],
  ["volume/resize", { pool: "tank", volume: "b", sizeBytes: -MIB }, 400, /sizeBytes/],
  ["volume/set", { pool: "tank", volume: "b", reservedBytes: 2 ** 50 }, 400, /\bb\b|reserv/],
  ["pool/set", { pool: "tank", thresholds: [0.9, 0.1] }, 400, /thresholds/],
  ["pool/set", { pool: "tank", thresholds: [7] }, 400, /thresholds/],
  ["pool/set", { pool: "tank", overcommitMax: -1 }, 400, /overcommit/],
  ["pool/create", { pool: "lake", devices: ["x"], createBytes: 1 }, 400, /lake|createBytes|size|x/],
];

const NAMES: readonly Mistake[] = [
  ["target/create", { name: LONG_IQN }, 400, /223/],
  ["volume/create", { pool: "tank", volume: LONG, sizeBytes: MIB }, 400, /volume/],
  ["volume/rename", { pool: "tank", volume: "b", name: LONG }, 400, /name/],
  ["volume/rename", { pool: "tank", volume: "b", name: "a/b" }, 400, /a\/b|name/],
  ["snapshot/create", { pool: "tank", copies: [{ volume: "b", name: LONG }] }, 400, /name/],
  ["pool/create", { pool: LONG, devices: ["/x"] }, 400, /pool|x{20}/],
  ["account/create", { user: LONG, password: PASSWORD }, 400, /user/],
  ["account/create", { user: "bob", password: "x".repeat(5000) }, 400, /password/],
  ["target/create", { name: OTHER, alias: LONG }, 400, /alias/],
  ["target/allow", { target: DISK, initiators: [LONG_IQN] }, 400, /initiators?|223/],
  ["target/allow", { target: DISK, addresses: [LONG] }, 400, /address|x{20}/],
  ["portal/create", { listen: `${LONG}:3260` }, 400, /listen|x{20}/],
];

const IQNS: readonly Mistake[] = [
  "disk",
  "iqn",
  "iqn.",
  "iqn.2026",
  "iqn.2026-13.net.example:x",
  "iqn.26-11.net.example:x",
  "iqn.2026-11.net.example:a b",
  "iqn.2026-11.net.example:a\nb",
  "iqn.2026-11.net.example:\u0000",
  "iqn.2026-11.net.example:a/b",
  "eui.123",
  "eui.02004567A425678DX",
  "naa.5",
  "",
].flatMap((name): Mistake[] => [
  ["target/create", { name }, 400, /name/],
  [
    "system/apply",
    { document: stringify({ targets: [{ name, luns: [] }] }) },
    400,
    /name|document/,
  ],
]);

const DUPLICATES: readonly Mistake[] = [
  ["target/create", { name: DISK }, 409, new RegExp(DISK)],
  ["target/create", { name: DISK.toUpperCase().replace("IQN", "iqn") }, 409, new RegExp(DISK)],
  ["pool/create", { pool: "tank", devices: ["/tmp/none"], createBytes: 64 * MIB }, 409, /tank/],
  ["volume/create", { pool: "tank", volume: "a", sizeBytes: MIB }, 409, /\ba\b/],
  ["volume/rename", { pool: "tank", volume: "b", name: "a" }, 409, /\ba\b/],
  ["snapshot/create", { pool: "tank", copies: [{ volume: "a", name: "b" }] }, 409, /\bb\b/],
  [
    "snapshot/create",
    {
      pool: "tank",
      copies: [
        { volume: "a", name: "s" },
        { volume: "b", name: "s" },
      ],
    },
    400,
    /\bs\b/,
  ],
  ["target/map", { target: DISK, volume: "tank/b", lun: 0 }, 409, /LUN 0/],
  ["target/map", { target: DISK, volume: "tank/a" }, 409, /disk has tank\/a as LUN 0 already/],
  ["target/map", { target: DISK, volume: "tank/a", lun: 7 }, 409, /tank\/a as LUN 0 already/],
  ["account/create", { user: "alice", password: PASSWORD }, 409, /alice/],
];

/** What is wrong with how a mistake was answered; null: nothing. */
async function problemWith([path, body, status, words]: Mistake): Promise<string | null> {
  const what = `${path} ${JSON.stringify(body).slice(0, 120)}`;
  const answer = await faces.http(path, JSON.stringify(body));
  const { detail = "" } = JSON.parse(answer.text) as Partial<Problem>;
  const told = `${what}: ${answer.status} ${detail.slice(0, 600)}`;
  if (!isDeepStrictEqual(await faces.everything(), before)) return `${told}: changed something`;
  const isTold = answer.status === status && words.test(detail) && detail.length < 600;
  return isTold ? null : told;
}

async function mustRefuse(...mistakes: readonly Mistake[]): Promise<void> {
  const problems: (string | null)[] = [];
  for (const mistake of mistakes) problems.push(await problemWith(mistake));
  expect(problems.filter((problem) => problem !== null)).toEqual([]);
}

describe("over HTTP", () => {
  it.each([
    ["what is not known", UNKNOWN],
    ["sizes that are none", SIZES],
    ["names that are too long, or none", NAMES],
    ["names of iSCSI that are malformed", IQNS],
    ["what is there already", DUPLICATES],
  ])("refuses %s", async (_, mistakes) => {
    await mustRefuse(...mistakes);
  });

  it("refuses a portal that is there already", async () => {
    const [portal] = await faces.client.call("portal/list", {});
    await mustRefuse(["portal/create", { listen: portal?.listen }, 409, /127\.0\.0\.1/]);
  });

  it("refuses a device that a pool has already", async () => {
    const devices = [`${faces.folder}/tank.img`];
    const words = /tank\.img is in the pool "tank" already/;
    await mustRefuse(
      ["pool/create", { pool: "pond", devices }, 409, words],
      ["pool/add", { pool: "pond", devices }, 409, words],
    );
  });

  it.each([
    ["no JSON", "{", 400, /JSON/],
    ["no object", "[]", 400, /object/],
    ["no UTF-8", "\ud800", 400, /./],
    ["much too deep", "[".repeat(30_000), 400, /./],
    ["a prototype", '{"__proto__":{"name":"x"},"constructor":1}', 400, /__proto__|constructor/],
  ])("refuses a body that is %s", async (_, body, status, words) => {
    const problem = await faces.refusal("target/create", body);
    expect([problem.status, problem.detail]).toEqual([status, expect.stringMatching(words)]);
    expect(await faces.everything()).toEqual(before);
  });

  it("takes one of two that make the same at once, on whatever way", async () => {
    const bodies = Array.from({ length: 8 }, () => JSON.stringify({ name: OTHER }));
    const [tgt, ...answers] = await Promise.all([
      faces.bench.ask(`--lld iscsi --mode target --op new --tid 7 -T ${OTHER}`),
      ...bodies.map((body) => faces.http("target/create", body)),
    ]);
    const made = answers.filter(({ status }) => status === 200).length;
    expect(made + (tgt.status === 0 ? 1 : 0)).toBe(1);
    expect(new Set(answers.map(({ status }) => status).filter((status) => status !== 200))).toEqual(
      new Set([409]),
    );
    await faces.client.call("target/delete", { target: OTHER });
    expect(await faces.everything()).toEqual(before);
  });

  it.each(["", "wrong", "r".repeat(31), "r".repeat(33), `${TOKENS.boss} `, "x".repeat(5000)])(
    "refuses a token that is wrong: %j",
    async (token) => {
      for (const [path, body] of [
        ["target/create", { name: OTHER }],
        ["target/list", {}],
        ["system/apply", { document: "targets: []", prune: true }],
      ] as const) {
        const isNoToken = token.endsWith(" ");
        const given = isNoToken ? `${token}x` : token;
        const problem = await faces.refusal(path, JSON.stringify(body), given);
        expect([problem.status, problem.detail]).toEqual([
          expect.toSatisfy((status: number) => status === 401 || status === 429),
          expect.stringMatching(/token/),
        ]);
      }
      expect(await faces.everything()).toEqual(before);
    },
  );
});

/** Sends a request of 1 GiB; resolves with the answer, and how much of it was taken. */
function sendGiB(path: string, isDeclared: boolean): Promise<{ text: string; sentBytes: number }> {
  const total = 1024 * MIB;
  const piece = Buffer.alloc(64 * 1024, "x");
  return new Promise((resolve) => {
    const socket = connect(controlSocketPath(join(faces.folder, "state")));
    let [text, sentBytes, isClosed] = ["", 0, false];
    const head = `POST /v1/${path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n`;
    const length = isDeclared ? `content-length: ${total}` : "transfer-encoding: chunked";
    socket.write(`${head}${length}\r\n\r\n`);
    const send = (): void => {
      while (!isClosed && sentBytes < total) {
        sentBytes += piece.length;
        const all = isDeclared ? piece : Buffer.concat([Buffer.from("10000\r\n"), piece, CRLF]);
        if (!socket.write(all)) return;
      }
    };
    socket.on("drain", send);
    socket.on("data", (chunk: Buffer) => (text += chunk.toString()));
    socket.on("error", () => undefined);
    socket.on("close", () => {
      isClosed = true;
      resolve({ text, sentBytes });
    });
    send();
  });
}

const CRLF = Buffer.from("\r\n");

describe("a body of 1 GiB", () => {
  it.each([
    ["target/create", true],
    ["target/create", false],
    ["system/apply", true],
    ["system/apply", false],
    ["tgt/apply", false],
  ])("is not read: %s (declared: %s)", async (path, isDeclared) => {
    const { text, sentBytes } = await sendGiB(path, isDeclared);
    // Whoever goes on sending may miss the answer; it is hung up on in any case.
    if (text !== "") expect(text).toMatch(/^HTTP\/1\.1 413 /);
    expect(sentBytes).toBeLessThan(64 * MIB);
    expect(await faces.everything()).toEqual(before);
  });
});

describe("a document that is applied", () => {
  const lun = (number: number, volume: string): object => ({ lun: number, volume });
  const target = (name: string, ...luns: object[]): object => ({ name, luns });

  it.each([
    ["no YAML", "a: ][", /document:1:/],
    ["an unknown section", "disks: {}", /disks/],
    ["an unknown key", stringify({ targets: [{ ...target(OTHER), colour: 1 }] }), /colour/],
    ["a size that is none", "volumes: { c: { driver: memory, size: 8XB } }", /8XB|size/],
    ["a name too long", stringify({ targets: [target(LONG_IQN)] }), /223/],
    ["a name that is malformed", stringify({ targets: [target("disk")] }), /disk/],
    ["a target twice", stringify({ targets: [target(OTHER), target(OTHER)] }), /other/],
    [
      "a LUN twice",
      stringify({ targets: [target(OTHER, lun(0, "tank/b"), lun(0, "tank/a"))] }),
      /LUN 0|lun/i,
    ],
    ["a key twice", "targets: []\ntargets: []", /targets|unique|twice/i],
    [
      "an account twice",
      stringify({ accounts: [1, 2].map(() => ({ user: "bob", password: PASSWORD })) }),
      /bob/,
    ],
    [
      "a volume that is not there",
      stringify({ targets: [target(OTHER, lun(0, "lake/x"))] }),
      /lake/,
    ],
    ["a portal twice", 'portals: ["127.0.0.8:4000", "127.0.0.8:4000"]', /127\.0\.0\.8/],
    ["aliases without end", bomb(), /alias|document/i],
    ["more than it may have", `# ${"x".repeat(5 * MIB)}`, /document|bytes/],
  ])("is refused with %s", async (_, document, words) => {
    const problem = await faces.refusal("system/apply", JSON.stringify({ document }));
    expect([400, 404, 413]).toContain(problem.status);
    expect(problem.detail).toMatch(words);
    expect(await faces.everything()).toEqual(before);
  });
});

/** A billion entries in a few lines. */
function bomb(): string {
  const lines = ["a0: &a0 [x,x,x,x,x,x,x,x,x]"];
  for (let level = 1; level < 10; level += 1) {
    const all = Array.from({ length: 9 }, () => `*a${level - 1}`).join(",");
    lines.push(`a${level}: &a${level} [${all}]`);
  }
  return lines.join("\n");
}
