import fastify from "fastify";
import { describe, expect, it } from "vitest";
import { Answer } from "../../../src/control/http/answer.ts";
import { OperationError } from "../../../src/control/protocol.ts";

/** What comes back where this is answered. */
async function answered(wantsLines: boolean, respond: (answer: Answer) => void) {
  const app = fastify();
  app.get("/", async (_request, reply) => {
    respond(new Answer(reply, wantsLines));
    return Promise.resolve(reply);
  });
  const { statusCode, headers, body } = await app.inject("/");
  await app.close();
  return [statusCode, headers["content-type"], body];
}

const PROBLEM =
  '{"type":"about:blank","title":"Insufficient Storage","status":507,"detail":"full","kind":"space"}';
const STEP = { step: "counting", done: 1, total: 2 };

describe("an answer", () => {
  it("is JSON, bytes or a problem", async () => {
    expect(await answered(false, (answer) => answer.result({ a: 1 }))).toEqual([
      200,
      "application/json",
      '{"a":1}',
    ]);
    const bytes = Buffer.from("abc");
    expect(await answered(false, (answer) => answer.result(bytes))).toEqual([
      200,
      "application/octet-stream",
      "abc",
    ]);
    const full = new OperationError("space", "full");
    expect(await answered(false, (answer) => answer.error(full))).toEqual([
      507,
      "application/problem+json",
      PROBLEM,
    ]);
  });

  it("is a promise that it will be done", async () => {
    expect(await answered(false, (answer) => answer.accepted({ id: 1 }, "/x"))).toEqual([
      202,
      "application/json",
      '{"id":1}',
    ]);
  });

  it("comes in lines where progress is wanted, and only there", async () => {
    const respond = (answer: Answer): void => {
      answer.progress(STEP);
      answer.result({ a: 1 });
    };
    expect(await answered(true, respond)).toEqual([
      200,
      "application/x-ndjson",
      `{"progress":${JSON.stringify(STEP)}}\n{"result":{"a":1}}\n`,
    ]);
    expect(await answered(false, respond)).toEqual([200, "application/json", '{"a":1}']);
  });

  it("tells of an error in a line once lines have begun, and by its status before", async () => {
    const full = new OperationError("space", "full");
    const late = (answer: Answer): void => {
      answer.progress(STEP);
      answer.error(full);
    };
    const [status, , body] = await answered(true, late);
    expect([status, String(body).split("\n")[1]]).toEqual([200, `{"error":${PROBLEM}}`]);
    expect((await answered(true, (answer) => answer.error(full)))[0]).toBe(507);
  });
});
