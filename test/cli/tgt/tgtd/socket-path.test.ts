import { expect, it } from "vitest";
import { tgtSocketPath } from "../../../../src/cli/tgt/tgtd/socket-path.ts";

it("is where tgtadm looks", () => {
  expect(tgtSocketPath({}, 0)).toBe("/var/run/tgtd/socket.0");
  expect(tgtSocketPath({ TGT_IPC_SOCKET: "/tmp/s\u00e4cke" }, 7)).toBe("/tmp/s\u00e4cke.7");
});
