import { describe, expect, it } from "vitest";
import type { Ending } from "../../../../src/cli/tgt/ending.ts";
import { setupLunHelp } from "../../../../src/cli/tgt/setup-lun/help.ts";
import { setupLun } from "../../../../src/cli/tgt/setup-lun/setup-lun.ts";

interface Run {
  readonly status: number;
  readonly printed: string;
  readonly complained: string;
  /** Command lines of tgtadm. */
  readonly ran: readonly string[];
}

const SHOW = /--op show --mode target$/;

/**
 * Runs a command line where tgtadm shows `shown`, and refuses what `refuses` matches.
 * @param answer to a question
 */
async function run(line: string, shown = "", refuses = /^never/, answer = ""): Promise<Run> {
  let [printed, complained] = ["", ""];
  const ran: string[] = [];
  let text = shown;
  const status = await setupLun(line === "" ? [] : line.split(" "), {
    calledAs: "tgt-setup-lun",
    hostName: "here",
    tgtadm: (words): Promise<Ending> => {
      const asked = words.join(" ");
      if (refuses.test(asked)) {
        const isGone = asked.endsWith("--mode system");
        return Promise.resolve({ status: isGone ? 107 : 22, stdout: "", stderr: "tgtadm: no\n" });
      }
      if (!SHOW.test(asked) && !asked.endsWith("system")) ran.push(asked);
      const [, id, name] = /--mode target --tid (\d+) -T (.*)/.exec(asked) ?? [];
      if (id !== undefined) {
        text += `Target ${id}: ${name}\n    LUN information:\n        LUN: 0\n    ACL information:\n`;
      }
      return Promise.resolve({ status: 0, stdout: SHOW.test(asked) ? text : "", stderr: "" });
    },
    print: (words) => (printed += words),
    complain: (words) => (complained += words),
    ask: () => Promise.resolve(answer),
  });
  return { status, printed, complained, ran };
}

const ONE = `Target 1: iqn.x:one
    LUN information:
        LUN: 0
        LUN: 1
        LUN: 4
    ACL information:
        ALL
        10.0.0.1
`;

describe("tgt-setup-lun", () => {
  it("makes a target with a LUN for everybody", async () => {
    expect(await run("-n disk -d /srv/a.img", ONE)).toEqual({
      status: 0,
      printed: `Using transport: iscsi
Creating new target (name=iqn.2001-04.com.here-disk, tid=2)
Adding a logical unit (/srv/a.img) to target, tid=2
Accepting connections from all initiators
`,
      complained: "",
      ran: [
        "--lld iscsi --op new --mode target --tid 2 -T iqn.2001-04.com.here-disk",
        "--lld iscsi --op new --mode logicalunit --tid 2 --lun 1 -b /srv/a.img",
        "--lld iscsi --op bind --mode target --tid 2 -I ALL",
      ],
    });
  });

  it("takes every option", async () => {
    const line = "-n iqn.x:new -d /a -b aio -B 4096 -t iser -C 5 10.0.0.1 10.0.0.2";
    const { printed, ran } = await run(line);
    expect(printed).toBe(`Control port: 5
Using transport: iser
Creating new target (name=iqn.x:new, tid=1)
Adding a logical unit (/a) to target, tid=1
Setting backing store type: aio
Accepting connections from 10.0.0.1 10.0.0.2
`);
    expect(ran).toEqual([
      "-C 5 --lld iser --op new --mode target --tid 1 -T iqn.x:new",
      "-C 5 --lld iser --op new --mode logicalunit --tid 1 --lun 1 -b /a -E aio --blocksize 4096",
      "-C 5 --lld iser --op bind --mode target --tid 1 -I 10.0.0.1",
      "-C 5 --lld iser --op bind --mode target --tid 1 -I 10.0.0.2",
    ]);
  });

  it("adds a LUN to a target that is there, if that is meant", async () => {
    const { status, printed, ran } = await run("-n iqn.x:one -d /a", ONE, undefined, "yes");
    expect(status).toBe(0);
    expect(printed).toBe(`Using transport: iscsi
Error: target named iqn.x:one already exists
Adding a logical unit (/a) to target, tid=1
`);
    // It has a rule for everybody.
    expect(ran).toEqual(["--lld iscsi --op new --mode logicalunit --tid 1 --lun 2 -b /a"]);
    for (const answer of ["", "y", "YES"]) {
      expect(await run("-n iqn.x:one -d /a", ONE, undefined, answer)).toMatchObject({
        status: 1,
        ran: [],
      });
    }
  });

  it("makes no rule that is there", async () => {
    const { ran } = await run("-n iqn.x:one -d /a 10.0.0.1 10.0.0.2", ONE, undefined, "yes");
    expect(ran.slice(1)).toEqual(["--lld iscsi --op bind --mode target --tid 1 -I 10.0.0.2"]);
  });

  it("needs no device for null", async () => {
    const { ran } = await run("-n iqn.x:new -b null");
    expect(ran[1]).toBe("--lld iscsi --op new --mode logicalunit --tid 1 --lun 1 -E null");
  });

  it("takes a new target back where its LUN or its rule fails", async () => {
    const noLun = await run("-n iqn.x:new -d /a", "", /logicalunit/);
    expect(noLun).toMatchObject({ status: 1, complained: "tgtadm: no\n" });
    expect(noLun.printed).toContain(
      "Error: failed to add a logical unit (/a) to target, tid=1\nDeleting new target, tid=1\n",
    );
    expect(noLun.ran.at(-1)).toBe("--lld iscsi --op delete --mode target --tid 1");
    const noRule = await run("-n iqn.x:new -d /a", "", /bind|delete/);
    expect(noRule.status).toBe(1);
    expect(noRule.printed).toContain(`Error: failed to set access for all initiators
Deleting new target, tid=1
Error: failed to delete target, tid=1
`);
    const existing = await run("-n iqn.x:one -d /a", ONE, /logicalunit/, "yes");
    expect([existing.status, existing.ran]).toEqual([1, []]);
  });

  it("goes on where an initiator cannot be let in", async () => {
    const { status, printed } = await run("-n iqn.x:new -d /a 10.0.0.1 b", "", /-I 10/);
    expect(status).toBe(0);
    expect(printed).toContain("Error: could not assign initiator 10.0.0.1 to the target\n");
  });

  it("stops where the target cannot be made", async () => {
    const { status, printed, complained } = await run("-n iqn.x:new -d /a", "", /--op new/);
    expect([status, complained]).toEqual([1, "tgtadm: no\n"]);
    expect(printed).toContain("Error: failed to create target (name=iqn.x:new, tid=1)\n");
  });

  it("needs a device, a daemon, and words", async () => {
    expect(await run("-n a")).toMatchObject({
      status: 1,
      printed: "Error: a device is mandatory\n",
    });
    expect(await run("-n a -d b", "", /mode system/)).toEqual({
      status: 1,
      printed: "tgtd is not running\nExiting...\n",
      complained: "",
      ran: [],
    });
    for (const line of ["", "-h x"]) {
      expect(await run(line)).toMatchObject({ status: 1, printed: setupLunHelp("tgt-setup-lun") });
    }
    expect((await run("-z")).complained).toBe("tgt-setup-lun: illegal option -- z\n");
  });
});
