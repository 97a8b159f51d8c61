import { existsSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname } from "node:path";
import { describe, expect, it } from "vitest";
import type { Generator } from "../../bench/generators/generator.ts";
import { DISK_BYTES, LOADS, type NamedLoad } from "../../bench/loads.ts";
import type { Peer } from "../../bench/peers/peer.ts";
import type { ResultRow } from "../../bench/result.ts";
import { lanesOf, Runner, type RunnerOptions } from "../../bench/runner.ts";
import { sample } from "./support/results.ts";

const DEPTH_1 = LOADS.filter(({ id }) => id === "4k-random-read-d1");
const UNMAP = LOADS.filter(({ id }) => id === "64k-random-unmap-d8");

/** A peer that is none: what it is asked for goes into `log`. */
function fakePeer(name: string, log: string[], changes: Partial<Peer> = {}): Peer {
  const { round: _round, ...measured } = sample({});
  return {
    name,
    role: "target",
    // Without files, which are large.
    protocol: "tcp",
    generator: "thinlun",
    find: () => Promise.resolve({ version: `${name} 1` }),
    objection: () => null,
    start: () => {
      log.push(`start ${name}`);
      return Promise.resolve({
        isAlive: () => true,
        measure: ({ load, placement, generator }) => {
          const by = generator === undefined ? "" : ` by ${generator.name}`;
          log.push(`${name} ${load.id} ${placement}${by}`);
          return Promise.resolve(measured);
        },
        stop: () => {
          log.push(`stop ${name}`);
          return Promise.resolve();
        },
      });
    },
    ...changes,
  };
}

async function run(
  peers: readonly Peer[],
  loads: readonly NamedLoad[],
  changes: Partial<RunnerOptions> = {},
): Promise<Runner> {
  const runner = new Runner({
    peers,
    loads,
    generators: [],
    checksAll: false,
    rounds: 2,
    seconds: 1,
    folder: null,
    signal: new AbortController().signal,
    onSample: () => undefined,
    onDone: () => undefined,
    onRows: () => undefined,
    ...changes,
  });
  await runner.find();
  await runner.run();
  return runner;
}

const states = (rows: readonly ResultRow[]): unknown[] =>
  rows.map(({ peer, placement, samples, failure }) => [peer, placement, samples.length, failure]);

describe("the runner", () => {
  it("lets the peers take turns, placement by placement, and stops them", async () => {
    const log: string[] = [];
    let done = 0;
    const peers = [fakePeer("a", log), fakePeer("b", log)];
    const { rows } = await run(peers, DEPTH_1, { onDone: (count) => (done += count) });
    const id = "4k-random-read-d1";
    const turn = (placement: string): string[] => [`a ${id} ${placement}`, `b ${id} ${placement}`];
    expect(log).toEqual([
      "start a",
      "start b",
      ...turn("free"),
      ...turn("free"),
      ...turn("pinned"),
      ...turn("pinned"),
      "stop a",
      "stop b",
    ]);
    expect(rows[0]?.samples.map(({ round }) => round)).toEqual([0, 1]);
    expect(rows[0]?.medians).toMatchObject({ operationsPerSecond: 1000 });
    expect(done).toBe(8);
  });

  it("says of each peer that is not there that it is not, in its place", async () => {
    const log: string[] = [];
    const absent = { find: () => Promise.resolve({ absent: "it is not installed" }) };
    const peers = [fakePeer("a", log, absent), fakePeer("b", log)];
    const { rows, peers: found } = await run(peers, UNMAP);
    expect(found).toMatchObject([
      { name: "a", state: "absent", reason: "it is not installed", version: null },
      { name: "b", state: "measured", reason: null, version: "b 1" },
    ]);
    expect(states(rows)).toEqual([
      ["a", "free", 0, "it is not installed"],
      ["b", "free", 2, null],
    ]);
    expect(log).not.toContain("start a");
  });

  it("goes on without a peer that does not start", async () => {
    const log: string[] = [];
    const broken = { start: () => Promise.reject(new Error("it does not listen")) };
    const { rows, peers } = await run([fakePeer("a", log, broken), fakePeer("b", log)], UNMAP);
    expect(peers[0]).toMatchObject({ state: "failed", reason: "it does not listen" });
    expect(states(rows)).toEqual([
      ["a", "free", 0, "it does not listen"],
      ["b", "free", 2, null],
    ]);
  });

  it("drops what a peer has done before it broke, with what its program said", async () => {
    const log: string[] = [];
    let calls = 0;
    const error = Object.assign(new Error("Command failed: long"), { stderr: "out of room\n" });
    const whole = fakePeer("a", log);
    const start: Peer["start"] = async (stage) => ({
      ...(await whole.start(stage)),
      measure: () =>
        (calls += 1) === 1 ? Promise.resolve({ ...sample({}) }) : Promise.reject(error),
    });
    const { rows } = await run([{ ...whole, start }], UNMAP, { rounds: 3 });
    expect(states(rows)).toEqual([["a", "free", 0, "out of room"]]);
    // It is not asked again for this load.
    expect(calls).toBe(2);
  });

  it("starts a peer again that has died", async () => {
    const log: string[] = [];
    const whole = fakePeer("a", log);
    const dead: Peer = {
      ...whole,
      start: async (stage) => ({ ...(await whole.start(stage)), isAlive: () => false }),
    };
    const { rows } = await run([dead], UNMAP);
    expect(log.filter((step) => step === "start a").length).toBeGreaterThan(1);
    expect(states(rows)).toEqual([["a", "free", 2, null]]);
  });

  it("asks nothing of a peer that objects", async () => {
    const log: string[] = [];
    const { rows } = await run([fakePeer("a", log, { objection: () => "it cannot" })], UNMAP);
    expect(log).toEqual([]);
    expect(states(rows)).toEqual([["a", "free", 0, "it cannot"]]);
  });

  it("keeps what was measured until an interrupt, and stops what runs", async () => {
    const log: string[] = [];
    const interrupt = new AbortController();
    const { rows } = await run([fakePeer("a", log), fakePeer("b", log)], LOADS, {
      signal: interrupt.signal,
      onRows: () => interrupt.abort(),
    });
    expect(states(rows)).toEqual([
      ["a", "free", 2, null],
      ["b", "free", 2, null],
    ]);
    expect(log.slice(-2)).toEqual(["stop a", "stop b"]);
  });

  it("lets other generators take turns on what speaks iSCSI", async () => {
    const log: string[] = [];
    const generator = (name: Generator["name"], changes: Partial<Generator> = {}): Generator => ({
      name,
      find: () => Promise.resolve({ version: "1" }),
      objection: () => null,
      drive: () => Promise.reject(new Error("the peer drives")),
      ...changes,
    });
    const generators = [
      generator("iscsi-perf"),
      generator("qemu-img", { objection: () => "it cannot" }),
      generator("fio-libiscsi", { find: () => Promise.resolve({ absent: "not here" }) }),
    ];
    const iscsi = { protocol: "iscsi" } as const;
    const peers = [fakePeer("a", log, iscsi), fakePeer("echo", log), fakePeer("b", log, iscsi)];
    const found = await run(peers, UNMAP, { generators, checksAll: true, rounds: 1 });
    expect(log.filter((step) => step.includes(" free"))).toEqual(
      ["a", "echo", "b"]
        .map((name) => `${name} 64k-random-unmap-d8 free`)
        .concat(["a", "b"].map((name) => `${name} 64k-random-unmap-d8 free by iscsi-perf`)),
    );
    expect(found.rows.map((row) => [row.peer, row.generator, row.failure])).toEqual([
      ["a", "thinlun", null],
      ["echo", "thinlun", null],
      ["b", "thinlun", null],
      ["a", "iscsi-perf", null],
      ["b", "iscsi-perf", null],
      ["a", "qemu-img", "it cannot"],
      ["b", "qemu-img", "it cannot"],
    ]);
    expect(found.generators).toEqual([
      { name: "iscsi-perf", version: "1", absent: null },
      { name: "qemu-img", version: "1", absent: null },
      { name: "fio-libiscsi", version: null, absent: "not here" },
    ]);
    // Where nobody asks for them, only on the few loads that are marked.
    const [unmap] = UNMAP;
    if (unmap === undefined) throw new Error("there is such a load");
    const few = { peers, generators, checksAll: false };
    expect(lanesOf(unmap, few)).toHaveLength(3);
    expect(lanesOf({ ...unmap, isCheckedByOthers: true }, few)).toHaveLength(9);
  });

  it("gives files of the size of the disk, and takes them away", async () => {
    const log: string[] = [];
    const files: string[] = [];
    const whole = fakePeer("a", log, { protocol: "iscsi" });
    const start: Peer["start"] = (stage) => {
      files.push(...stage.files);
      expect(stage.files.map((file) => statSync(file).size)).toEqual([DISK_BYTES]);
      expect(existsSync(stage.folder)).toBe(true);
      return whole.start(stage);
    };
    const flush = LOADS.filter(({ id }) => id === "4k-random-write-d1-flush1");
    await run([{ ...whole, start }], flush, { folder: tmpdir() });
    const [file = ""] = files;
    expect(file.startsWith(tmpdir())).toBe(true);
    expect(existsSync(dirname(dirname(dirname(file))))).toBe(false);
  });
});
