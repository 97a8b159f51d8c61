import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { JobReport, Problem } from "../../../src/control/protocol.ts";
import { MIB } from "../../thin/pool/support/pool-bench.ts";
import { mustBeDocumented } from "../operations/support/reply-check.ts";
import { type Answer, type Asked, HttpBench, TOKENS } from "./support/http-bench.ts";

let bench: HttpBench;

beforeEach(async () => {
  bench = await HttpBench.make();
});

afterEach(() => bench.dispose());

const ask = (path: string, asked?: Asked): Promise<Answer> => bench.ask(path, asked);

const VOLUME = { pool: "tank", volume: "a", sizeBytes: MIB };

const DEEP = `${"[".repeat(20_000)}${"]".repeat(20_000)}`;

describe("operations over HTTP", () => {
  it("does the same thing once", async () => {
    const headers = { "idempotency-key": "6fa459ea" };
    const body = JSON.stringify(VOLUME);
    const first = await ask("/v1/volume/create", { headers, body });
    const again = await ask("/v1/volume/create", { headers, body });
    expect([first.status, again.status]).toEqual([200, 200]);
    expect(again.text).toBe(first.text);
    expect([first, again].map(({ headers: all }) => all["idempotency-replayed"])).toEqual([
      undefined,
      "true",
    ]);
    const other = JSON.stringify({ ...VOLUME, sizeBytes: 2 * MIB });
    expect((await ask("/v1/volume/create", { headers, body: other })).status).toBe(422);
    const stranger = await ask("/v1/volume/create", { headers, body, token: TOKENS.operator });
    expect(stranger.status).toBe(409);
    const lists = await ask("/v1/volume/list", { headers, body: "{}" });
    expect(lists.headers["idempotency-replayed"]).toBeUndefined();
  });

  it("does long things without anybody waiting", async () => {
    const headers = { prefer: "respond-async, wait=10" };
    const begun = await ask("/v1/pool/check", { headers, body: '{"pool":"tank"}' });
    expect(begun.status).toBe(202);
    const job = JSON.parse(begun.text) as JobReport;
    mustBeDocumented("/v1/pool/check", 202, "application/json", job);
    expect(begun.headers["preference-applied"]).toBe("respond-async");
    expect(begun.headers["location"]).toBe(`/v1/job/show?id=${job.id}`);
    let shown: JobReport = job;
    while (shown.state === "running") {
      shown = await bench.call<JobReport>("/v1/job/show", { id: job.id });
    }
    expect(shown).toMatchObject({
      state: "done",
      by: "boss",
      reply: { isSound: true, findings: [] },
      progress: { step: "counting", done: 1 },
    });
    expect(await bench.call<JobReport[]>("/v1/job/list", {})).toMatchObject([{ id: job.id }]);
    expect(await bench.call("/v1/job/cancel", { id: job.id })).toMatchObject({ state: "done" });
    // What is done at once is answered at once.
    const quick = await ask("/v1/volume/list", { headers });
    expect(quick.status).toBe(200);
  });

  it("does what has failed again under its key, though nobody waited", async () => {
    const headers = { prefer: "respond-async", "idempotency-key": "k" };
    const body = '{"pool":"tank"}';
    const begin = async (): Promise<JobReport> =>
      JSON.parse((await ask("/v1/pool/check", { headers, body })).text) as JobReport;
    const { pool } = bench.operations.bench;
    const check = pool.check.bind(pool);
    pool.check = () => Promise.reject(new Error("it broke"));
    const failed = await begin();
    let { state } = failed;
    while (state === "running") {
      ({ state } = await bench.call<JobReport>("/v1/job/show", { id: failed.id }));
    }
    expect(state).toBe("failed");
    pool.check = check;
    const begun = await begin();
    expect(begun.id).not.toBe(failed.id);
    expect((await begin()).id).toBe(begun.id);
  });

  it.each([
    ['{"pool":"tank","volume":"a","sizeBytes":1e400}', /sizeBytes must be/],
    ['{"pool":"tank","volume":"a","sizeBytes":99999999999999999999}', /sizeBytes must be/],
    ['{"pool":"tank","volume":"a","sizeBytes":-1}', /sizeBytes must be/],
    ['{"pool":"tank","volume":"a","sizebytes":1}', /"sizebytes" is no argument/],
    ['{"pool":"tank","volume":"a","sizeBytes":1048576,"__proto__":{"x":1}}', /"__proto__" is no/],
    [`{"volume":"a","sizeBytes":1,"pool":${DEEP}}`, /pool must be a text.*not a list/],
    ['{"pool":"tank","volume":"\\u0000","sizeBytes":1048576}', /name/],
    ['{"pool":"tank","volume":"\\ud800","sizeBytes":1048576}', /name/],
    ['"tank"', /the arguments must be an object/],
    ["nonsense", /not JSON/],
  ])("change nothing: case %#", async (body, message) => {
    const answer = await ask("/v1/volume/create", { body });
    expect(answer.status).toBe(400);
    const problem = JSON.parse(answer.text) as Problem;
    mustBeDocumented("/v1/volume/create", 400, "application/problem+json", problem);
    expect(problem.detail).toMatch(message);
    expect(problem.detail.length).toBeLessThan(400);
    expect(await bench.call("/v1/volume/list", {})).toEqual([]);
  });

  it("answer in lines where that is wanted, also what was done before", async () => {
    const headers = { accept: "application/x-ndjson", "idempotency-key": "1" };
    const body = '{"pool":"tank"}';
    const first = await ask("/v1/pool/check", { headers, body });
    const lines = first.text.trimEnd().split("\n");
    expect(lines.length).toBeGreaterThan(1);
    const again = await ask("/v1/pool/check", { headers, body });
    expect(again.headers["idempotency-replayed"]).toBe("true");
    expect(again.text.trimEnd()).toBe(lines.at(-1));
  });

  it("log who has asked for what they do", async () => {
    await bench.call("/v1/volume/create", VOLUME, { token: TOKENS.operator });
    expect(bench.operations.lines).toMatchObject([
      {
        message: "changed",
        fields: {
          by: "operator",
          operation: "volume/create",
          changes: [{ action: "create", kind: "volume", name: "tank/a" }],
        },
      },
    ]);
  });

  it("log a defect, and tell of it", async () => {
    const { pool } = bench.operations.bench;
    const value = (): never => {
      throw new TypeError("oops");
    };
    Object.defineProperty(pool, "usage", { value });
    const problem = await bench.call<Problem>("/v1/pool/list", {});
    expect(problem).toMatchObject({ status: 500, kind: "internal" });
    expect(bench.operations.lines).toMatchObject([
      { level: "error", fields: { operation: "pool/list" } },
    ]);
  });
});
