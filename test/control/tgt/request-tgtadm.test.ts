import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { runChild, type RunResult } from "../../../native-free/child-process.ts";
import { errorMessage, exitStatus, TGT_ERROR_NAMES } from "../../../src/control/tgt/errors.ts";
import { decodeRequest, encodeRequest, requestBytes } from "../../../src/control/tgt/request.ts";
import { encodeResponse, type TgtResponse } from "../../../src/control/tgt/response.ts";
import { toCommand } from "../../../src/control/tgt/tgt-command.ts";
import { hasProgram } from "../../support/debian-packages.ts";

const isMissing = !hasProgram("tgtadm");
const orWhyNot = isMissing ? " (cannot run: tgtadm of the package tgt is not installed)" : "";

const folder = mkdtempSync(join(tmpdir(), "thinlun-tgtadm-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs tgtadm against a server that gives one answer; returns what it sent and how it ended. */
async function converse(
  args: readonly string[],
  answer: TgtResponse,
): Promise<{ sent: Buffer; ending: RunResult }> {
  let sent: Buffer = Buffer.alloc(0);
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.on("data", (chunk) => {
      sent = Buffer.concat([sent, chunk]);
      const length = requestBytes(sent);
      if (typeof length === "number" && sent.length >= length) socket.end(encodeResponse(answer));
    });
  });
  // tgtadm puts the control port behind the name.
  server.listen(join(folder, "socket.0"));
  await once(server, "listening");
  const ending = await runChild("tgtadm", args, {
    variables: { TGT_IPC_SOCKET: join(folder, "socket") },
  });
  server.close();
  await once(server, "close");
  return { sent, ending };
}

const SILENCE: TgtResponse = { error: 0, text: "" };

describe.skipIf(isMissing)(`the tgtadm of the distribution${orWhyNot}`, () => {
  it.each(TGT_ERROR_NAMES.map((name, number) => [number, name] as const))(
    "prints the error %i, %s, and ends with its status",
    async (error) => {
      const { ending } = await converse(["--op", "show", "--mode", "lld"], { error, text: "" });
      const stderr = error === 0 ? "" : `tgtadm: ${errorMessage(error)}\n`;
      expect(ending).toMatchObject({ exitCode: exitStatus(error), stdout: "", stderr });
    },
  );

  it("prints what it does not know, and no text with an error", async () => {
    const unknown = { error: 25, text: "words\n" };
    const { ending } = await converse(["--op", "show", "--mode", "lld"], unknown);
    const stderr = `tgtadm: ${errorMessage(25)}\n`;
    expect(ending).toMatchObject({ exitCode: exitStatus(25), stdout: "", stderr });
  });

  it("prints the text of a success", async () => {
    const text = "LLDs:\n    iscsi: ready\n".repeat(2000);
    const { ending } = await converse(["--op", "show", "--mode", "lld"], { error: 0, text });
    expect(ending).toMatchObject({ exitCode: 0, stdout: text, stderr: "" });
  });

  it.each([
    ["--lld iscsi --op new --mode target --tid 1 -T iqn.2026-01.com.example:disk1", "target-new"],
    ["--lld iscsi --op delete --mode target --tid 1 --force", "target-delete"],
    ["--op show --mode target", "target-show"],
    ["--op stat --mode target --tid 1", "target-stat"],
    ["--op update --mode target --tid 1 -n state -v offline", "target-update"],
    ["--op bind --mode target --tid 1 -I 10.0.0.0/8", "target-bind"],
    ["--op unbind --mode target --tid 1 -Q iqn.x", "target-unbind"],
    ["--op new --mode lu --tid 1 --lun 1 -b /a -E aio -f sync -y 512 -Y cd", "lun-new"],
    ["--op delete --mode lu --tid 1 --lun 1", "lun-delete"],
    ["--op update --mode lu --tid 1 --lun 1 -P scsi_id=a,scsi_sn=b", "lun-update"],
    ["--op stat --mode lu --tid 1 --lun 1", "lun-stat"],
    ["--op show --mode portal", "portal-show"],
    ["--op new --mode portal --param portal=127.0.0.1:33778", "portal-new"],
    ["--op delete --mode portal --param portal=[::1]:33778", "portal-delete"],
    ["--op show --mode lld", "lld-show"],
    ["--op start --mode lld --lld iscsi", "lld-start"],
    ["--op stop --mode lld --lld iscsi", "lld-stop"],
    ["--op stat --mode session --tid 1 --sid 4", "session-stat"],
    ["--op show --mode session --tid 1", "refused"],
    ["--op show --mode conn --tid 1", "connection-show"],
    ["--op stat --mode conn --tid 1", "connection-stat"],
    ["--op delete --mode conn --tid 1 --sid 77 --cid 3", "connection-delete"],
    ["--op show --mode account", "account-show"],
    ["--op new --mode account --user alice --password se,c=r", "account-new"],
    ["--op delete --mode account --user alice", "account-delete"],
    ["--op bind --mode account --user alice --outgoing", "account-bind"],
    ["--op unbind --mode account --tid 1 --user alice", "account-unbind"],
    ["--op show --mode sys", "system-show"],
    ["--op stat --mode sys", "system-stat"],
    ["--op update --mode sys -n debug -v on", "system-update"],
    ["--lld nope --op show --mode target", "refused"],
  ])("asks with %s for %s", async (line, kind) => {
    const { sent, ending } = await converse(line.split(" "), SILENCE);
    expect(ending).toMatchObject({ exitCode: 0, stdout: "", stderr: "" });
    const request = decodeRequest(sent);
    if (typeof request === "string") throw new Error(request);
    expect(toCommand(request).kind).toBe(kind);
    // Byte for byte, padding included: nothing of what it sends is unknown here.
    expect(Buffer.from(encodeRequest(request)).toString("hex")).toBe(sent.toString("hex"));
  });
});
