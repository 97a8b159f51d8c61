import { connect } from "node:net";
import { isDeepStrictEqual } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CONTROL_PORT } from "../tgt/support/tgt-bench.ts";
import { DISK, Faces, OTHER } from "./support/faces.ts";

/*
 * The same mistakes by tgtadm: its words are tgt's, which name hardly anything, so the reason is in the daemon's log; and nothing is
 * changed.
 */

let faces: Faces;
let before: unknown;

beforeAll(async () => {
  faces = await Faces.make();
  before = await faces.everything();
});

afterAll(() => faces.dispose());

const LONG = "x".repeat(300);

const TARGET = "--lld iscsi --mode target";
const LUN = "--lld iscsi --mode logicalunit";
const ACCOUNT = "--lld iscsi --mode account";

/** A line, its status, and what tgt says. */
type Mistake = readonly [string, number, RegExp];

const UNKNOWN: readonly Mistake[] = [
  ["--colour red", 22, /unrecognized option '--colour'/],
  ["--lld iscsi --mode nonsense --op show", 1, /unknown mode: nonsense/],
  ["--lld iscsi --mode target --op explode", 1, /unknown operation: explode/],
  ["--lld nothing --mode target --op show", 22, /can't find the driver/],
  [`${TARGET} --op delete --tid 99`, 22, /can't find the target/],
  [`${LUN} --op new --tid 99 --lun 1 -b /dev/null`, 22, /can't find the target/],
  [`${LUN} --op delete --tid 1 --lun 99`, 22, /can't find the logical unit/],
  [`${TARGET} --op update --tid 1 --name Colour --value red`, 22, /./],
  [`${TARGET} --op update --tid 99 --name MaxBurstLength --value 512`, 22, /./],
  [`${ACCOUNT} --op bind --tid 1 --user nobody`, 22, /./],
  [`${ACCOUNT} --op delete --user nobody`, 22, /./],
];

const SIZES: readonly Mistake[] = [
  [`${TARGET} --op update --tid 1 --name MaxBurstLength --value 8XB`, 22, /./],
  [`${TARGET} --op update --tid 1 --name MaxBurstLength --value -1`, 22, /./],
  [`${LUN} --op new --tid 1 --lun 1 -b {}/tank.img --blocksize 7`, 22, /./],
  [`${LUN} --op new --tid 1 --lun 99999 -b {}/tank.img`, 22, /./],
  [`${LUN} --op new --tid 1 --lun -1 -b {}/tank.img`, 22, /./],
  [`${TARGET} --op new --tid 0 -T ${OTHER}`, 22, /./],
  [`${TARGET} --op new --tid -7 -T ${OTHER}`, 22, /./],
];

const NAMES: readonly Mistake[] = [
  [`${TARGET} --op new --tid 7 -T iqn.2026-11.net.example:${LONG}`, 22, /./],
  [`${TARGET} --op new --tid 7 -T iqn.2026-11.net.example:a/b`, 22, /./],
  [`${TARGET} --op new --tid 7 -T iqn.2026-13.net.example:x`, 22, /./],
  [`${TARGET} --op new --tid 7 -T disk`, 22, /./],
  [`${ACCOUNT} --op new --user ${LONG} --password ${LONG}`, 22, /./],
  [`${LUN} --op new --tid 1 --lun 1 -b ${"/x".repeat(3000)}`, 22, /./],
  [`${TARGET} --op bind --tid 1 -I ${LONG}.1.2.3`, 22, /./],
  [`--lld iscsi --mode portal --op new --param portal=${LONG}:3260`, 22, /./],
];

const DUPLICATES: readonly Mistake[] = [
  [`${TARGET} --op new --tid 1 -T ${OTHER}`, 22, /this target already exists/],
  [`${TARGET} --op new --tid 7 -T ${DISK}`, 22, /this target already exists/],
  [`${LUN} --op new --tid 1 --lun 0 -b {}/tank.img`, 22, /this logical unit number already exists/],
  [`${ACCOUNT} --op new --user alice --password again-12345`, 22, /this account already exists/],
];

describe("tgtadm", () => {
  it.each([
    ["what is not known", UNKNOWN],
    ["sizes and numbers that are none", SIZES],
    ["names that are too long, or malformed", NAMES],
    ["what is there already", DUPLICATES],
  ])("refuses %s", async (_, mistakes) => {
    const problems: string[] = [];
    for (const [line, status, words] of mistakes) {
      const ending = await faces.bench.ask(line);
      const told = `${line.slice(0, 100)}: ${ending.status} ${ending.stderr.trim()}`;
      if (!isDeepStrictEqual(await faces.everything(), before)) problems.push(`changed by ${told}`);
      if (ending.status !== status || !words.test(ending.stderr)) problems.push(told);
    }
    expect(problems).toEqual([]);
  });

  it("leaves the reason, with the name, in the daemon's log", async () => {
    const { lines } = faces.bench.harness;
    const told = async (line: string): Promise<unknown> => {
      await faces.bench.ask(line);
      return lines.findLast(({ message }) => message === "a request was refused")?.fields;
    };
    const name = "iqn.2026-13.net.example:x";
    expect(await told(`${TARGET} --op new --tid 7 -T ${name}`)).toMatchObject({
      command: "target-new",
      targetId: 7,
      name,
      reason: expect.stringMatching(/iSCSI name/) as unknown,
    });
    expect(await told(`${ACCOUNT} --op new --user ${LONG} --password ${LONG}`)).toEqual({
      part: "tgt",
      command: "account-new",
      user: "x".repeat(223),
      error: "invalid-request",
      reason: expect.stringMatching(/user/) as unknown,
    });
    expect(await told(`${LUN} --op delete --tid 1 --lun 99`)).toMatchObject({
      targetId: 1,
      lun: "99",
    });
  });

  it("hangs up on a request that says it has 1 GiB, and reads no more of it", async () => {
    const path = `${faces.bench.socketBase}.${CONTROL_PORT}`;
    const sentBytes = await new Promise<number>((resolve) => {
      const socket = connect(path);
      const head = Buffer.alloc(4096, "x");
      // The length of the text that follows, wherever the request has it.
      for (let at = 0; at + 4 <= head.length; at += 4) head.writeUInt32LE(1 << 30, at);
      let sent = 0;
      let isClosed = false;
      const send = (): void => {
        while (!isClosed && sent < 1 << 30) {
          sent += head.length;
          if (!socket.write(head)) return;
        }
      };
      socket.on("drain", send);
      socket.on("data", () => undefined);
      socket.on("error", () => undefined);
      socket.on("close", () => {
        isClosed = true;
        resolve(sent);
      });
      send();
    });
    expect(sentBytes).toBeLessThan(64 << 20);
    expect(await faces.everything()).toEqual(before);
  });
});
