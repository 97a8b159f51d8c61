import { spawnSync } from "node:child_process";
import { existsSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { ConfigError } from "../../../src/control/config/report.ts";
import { loadConfig } from "../../../src/control/config/load-config.ts";
import { controlSocketPath } from "../../../src/control/protocol.ts";
import { CONTROL_PORT } from "../tgt/support/tgt-bench.ts";
import { DISK, Faces, OTHER, PASSWORD } from "./support/faces.ts";

/*
 * Mistakes on the command line of the built program, and in the configuration: the status, words that name what is wrong, and nothing
 * changed.
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

const inFolder = (name: string): string => join(faces.folder, name);

function file(name: string, content: string): string {
  writeFileSync(inFolder(name), content, { mode: 0o600 });
  return inFolder(name);
}

type Mistake = readonly [string, number, RegExp];

/** Two at a time: each is a process. */
async function mustFail(mistakes: readonly Mistake[]): Promise<void> {
  const problems: string[] = [];
  const attempt = async ([line, status, words]: Mistake): Promise<void> => {
    const ending = await faces.cli(...line.split(" ").filter((word) => word !== ""));
    const told = `${line.slice(0, 100)}: ${ending.status} ${ending.stderr.trim().slice(-400)}`;
    if (ending.status !== status || !words.test(ending.stderr)) problems.push(told);
    if (ending.stdout !== "") problems.push(`${told}: it said ${ending.stdout}`);
  };
  for (let index = 0; index < mistakes.length; index += 2) {
    await Promise.all(mistakes.slice(index, index + 2).map(attempt));
    if (!isDeepStrictEqual(await faces.everything(), before)) {
      problems.push(`changed by one of ${mistakes.slice(index, index + 2).join("; ")}`);
    }
  }
  expect(problems).toEqual([]);
}

describe("the command line", () => {
  it("refuses what is not known", async () => {
    await mustFail([
      ["target explode", 2, /explode/],
      [`target create ${OTHER} --colour red`, 2, /colour/],
      [`target delete ${OTHER} --yes`, 1, /other/],
      [`target map ${DISK} tank/none`, 1, /none/],
    ]);
  });

  it("refuses sizes that are none", async () => {
    await mustFail([
      ["volume create tank/c --size 8XB", 2, /8XB/],
      ["volume create tank/c --size=-8MiB", 2, /-8MiB/],
      ["volume create tank/c --size 500MB", 2, /multiple of 512.*; the next one is 500000256/],
      ["volume create tank/c --size 99999999999999999999TiB", 2, /size|99999/],
      ["volume resize tank/b lots", 2, /lots/],
    ]);
  });

  it("refuses names that are too long, or malformed", async () => {
    await mustFail([
      [`target create iqn.2026-11.net.example:${LONG}`, 2, /223/],
      ["target create iqn.2026-13.net.example:x", 2, /iqn\.2026-13/],
      [`volume create tank/${LONG} --size 8MiB`, 2, /x{20}|name/],
      ["volume create tank/a/b --size 8MiB", 2, /a\/b/],
      [`account create ${LONG} --password-file ${file("p", PASSWORD)}`, 2, /user/],
    ]);
  });

  it("refuses what is there already", async () => {
    const wanted = file("twice.yaml", `targets: [{ name: ${OTHER} }, { name: ${OTHER} }]`);
    await mustFail([
      [`target create ${DISK}`, 1, new RegExp(DISK)],
      ["volume create tank/a --size 8MiB", 1, /\ba\b/],
      [`account create alice --password-file ${file("p", PASSWORD)}`, 1, /alice/],
      [`target map ${DISK} tank/b --lun 0`, 1, /LUN 0/],
      [`apply ${wanted} --yes`, 2, /twice\.yaml:1:/],
      [`target create ${OTHER} --alias a --alias b`, 2, /alias/],
    ]);
  });

  it("refuses a file of 1 GiB without reading it", async () => {
    const big = file("big.yaml", "targets: []\n");
    truncateSync(big, 1024 ** 3);
    await mustFail([
      [`apply ${big} --yes`, 2, /big\.yaml/],
      [`apply ${file("empty.yaml", " \n")} --prune --yes`, 2, /empty\.yaml is empty/],
      [`account create bob --password-file ${big}`, 2, /big\.yaml/],
    ]);
  });
});

describe("the configuration", () => {
  const portals = 'portals: [{ listen: "127.0.0.1:0" }]';
  const target = (more: string): string =>
    `${portals}\nvolumes: { a: { driver: memory, size: 1MiB } }\ntargets: [${more}]`;

  it.each([
    ["an unknown key", `${portals}\ncolour: red`, /c\.yaml:2:1: .*colour/],
    ["a size that is none", "volumes: { a: { driver: memory, size: 8XB } }\ntargets: []", /8XB/],
    ["a name too long", target(`{ name: "iqn.2026-11.net.example:${LONG}", luns: [] }`), /223/],
    ["a malformed name", target("{ name: iqn.2026-13.x:y, luns: [] }"), /iqn\.2026-13/],
    [
      "a target twice",
      target(`{ name: ${OTHER}, luns: [] }, { name: ${OTHER}, luns: [] }`),
      /other/,
    ],
    [
      "a LUN twice",
      target(`{ name: ${OTHER}, luns: [{ lun: 0, volume: a }, { lun: 0, volume: a }] }`),
      /LUN 0|lun/,
    ],
    ["a key twice", `${portals}\nvolumes: {}\nvolumes: {}`, /c\.yaml:3/],
    [
      "a user twice",
      `${target("")}\naccounts: [${"{ user: bob, password: 'wonderland-1' }, ".repeat(2)}]`,
      /bob/,
    ],
    ["a LUN of no volume", target(`{ name: ${OTHER}, luns: [{ lun: 0, volume: none }] }`), /none/],
  ])("is refused with %s", (_, text, words) => {
    const path = file("c.yaml", text);
    let problem: unknown;
    try {
      loadConfig(path);
    } catch (error) {
      problem = error;
    }
    expect(problem).toBeInstanceOf(ConfigError);
    expect(String((problem as Error).message)).toMatch(words);
  });
});

const canBeOthers = process.getuid?.() === 0 && existsSync("/usr/bin/setpriv");
const STRANGER = ["--reuid", "65534", "--regid", "65534", "--clear-groups"];

describe.skipIf(!canBeOthers)("other users of the host", () => {
  const asStranger = (...words: readonly string[]) => {
    const { status, stdout, stderr } = spawnSync("setpriv", [...STRANGER, ...words]);
    return { status, stdout: stdout.toString(), stderr: stderr.toString() };
  };

  it("reach none of the sockets, even where they can reach the folder", () => {
    // What mkdtemp makes is for its owner only: the sockets have to hold by themselves.
    for (const folder of [faces.folder, join(faces.folder, "state")]) {
      expect(spawnSync("chmod", ["0755", folder]).status).toBe(0);
    }
    const script = `
      require("node:net").connect(process.argv[1])
        .on("connect", function () { process.stdout.write("connected"); this.destroy(); })
        .on("error", (error) => process.stdout.write(error.code));
    `;
    for (const path of [
      controlSocketPath(join(faces.folder, "state")),
      `${faces.bench.socketBase}.${CONTROL_PORT}`,
    ]) {
      expect([path, asStranger(process.execPath, "-e", script, path).stdout]).toEqual([
        path,
        "EACCES",
      ]);
    }
  });

  it("read no secret of the state, and are told so by the commands", () => {
    for (const name of ["state.json", "state.json.previous"]) {
      const path = join(faces.folder, "state", name);
      if (existsSync(path)) expect(asStranger("cat", path).stdout).toBe("");
    }
    const { status, stderr } = asStranger(
      "env",
      `TGT_IPC_SOCKET=${faces.bench.socketBase}`,
      "tgtadm",
      ..."-C 1 --lld iscsi --mode target --op show".split(" "),
    );
    expect(status).not.toBe(0);
    expect(stderr).not.toBe("");
  });
});
