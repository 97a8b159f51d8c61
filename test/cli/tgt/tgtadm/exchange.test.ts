import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { exchange, isListening } from "../../../../src/cli/tgt/tgtadm/exchange.ts";
import { composeRequest } from "../../../../src/cli/tgt/tgtadm/compose.ts";
import { emptySettings } from "../../../../src/cli/tgt/tgtadm/settings.ts";
import { encodeRequest } from "../../../../src/control/tgt/request.ts";
import { RecordingServer } from "./recording-server.ts";

const request = encodeRequest(composeRequest(emptySettings()));

let server: RecordingServer;
beforeEach(async () => void (server = await RecordingServer.start()));
afterEach(() => server.dispose());

describe("an exchange", () => {
  it("is a request and its answer", async () => {
    server.answer = { error: 5, text: "words" };
    const path = `${server.socketBase}.0`;
    expect(await exchange(request, path)).toEqual({ error: 5, text: "words" });
    expect(server.take()).toEqual([Buffer.from(request).toString("hex")]);
  });

  it("takes bytes behind the answer for nothing", async () => {
    server.answer = Uint8Array.of(1, 0, 0, 0, 8, 0, 0, 0, 65, 66);
    expect(await exchange(request, `${server.socketBase}.0`)).toEqual({ error: 1, text: "" });
  });

  it("takes a long answer in pieces", async () => {
    const text = "0123456789abcdef".repeat(1 << 18);
    server.answer = { error: 0, text };
    expect(await exchange(request, `${server.socketBase}.0`)).toEqual({ error: 0, text });
  });

  it("needs somebody who listens", async () => {
    expect(await isListening(`${server.socketBase}.0`)).toBe(true);
    expect(await isListening(`${server.socketBase}.1`)).toBe(false);
    expect(await exchange(request, `${server.socketBase}.1`)).toBe("unreachable");
  });
});
