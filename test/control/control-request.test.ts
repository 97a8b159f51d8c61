import type { IncomingMessage } from "node:http";
import { Readable } from "node:stream";
import { expect, it } from "vitest";
import { readRequest } from "../../src/control/control-request.ts";
import { BYTES_TYPE } from "../../src/control/protocol.ts";

function requestOf(
  url: string,
  chunks: readonly string[],
  headers: Record<string, string> = {},
  method = "POST",
): IncomingMessage {
  const stream = Readable.from(chunks.map((chunk) => Buffer.from(chunk)));
  return Object.assign(stream, { url, method, headers }) as unknown as IncomingMessage;
}

it("reads arguments from the body", async () => {
  const request = requestOf("/v1/pool/show", ['{"pool"', ':"a"}']);
  expect(await readRequest(request)).toMatchObject({ name: "pool/show", body: { pool: "a" } });
  expect(await readRequest(requestOf("/v1/pool/list", []))).toMatchObject({ body: {} });
});

it("reads them from the query where the body is a payload", async () => {
  const url = "/v1/volume/write?pool=7&volume=a%20b&offsetBytes=512";
  const read = await readRequest(requestOf(url, ["ab", "c"], { "content-type": BYTES_TYPE }));
  expect(read.body).toEqual({ pool: "7", volume: "a b", offsetBytes: 512 });
  expect(Buffer.from(read.payload).toString()).toBe("abc");
});

it.each([
  ["/", {}, "POST", "missing"],
  ["/v1/pool/show", {}, "PUT", "invalid"],
  ["//[", {}, "POST", "invalid"],
  ["/v1/pool/show", { "content-type": "text/xml" }, "POST", "invalid"],
  ["/v1/pool/show", { "content-length": "99999999" }, "POST", "invalid"],
] as const)("refuses %s %j %s as %s", async (url, headers, method, kind) => {
  await expect(readRequest(requestOf(url, ["{}"], headers, method))).rejects.toMatchObject({
    kind,
  });
});
