import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { errorNumber } from "../../../../src/control/tgt/errors.ts";
import { execute } from "../../../../src/control/tgt/execute/execute.ts";
import { TgtSystem } from "../../../../src/control/tgt/execute/tgt-system.ts";
import { NO_LUN, NO_TARGET_ID, type TgtRequest } from "../../../../src/control/tgt/request.ts";
import { chooseSeed, SeededRandom } from "../../../../src/util/random.ts";
import { freePort } from "../show/real-tgtd.ts";
import { TgtBench } from "../support/tgt-bench.ts";

const FUZZ_REQUESTS = 800;
let bench: TgtBench;

beforeEach(async () => {
  bench = await TgtBench.start();
});

afterEach(async () => {
  await bench.dispose();
});

/** A port that was free where the transcript was made. */
const RECORDED_PORT = "33778";

/** What tgt 1.0.85 was asked, and what it said. */
function transcript(): readonly { readonly line: string; readonly answer: string }[] {
  const text = readFileSync(join(import.meta.dirname, "appendix.txt"), "utf8");
  return text
    .split(/^\$ tgtadm /m)
    .slice(1)
    .map((part) => {
      const [line = "", ...answer] = part.split("\n");
      return { line, answer: answer.join("\n") };
    });
}

describe("requests of tgtadm", () => {
  it("are answered as in the transcript of tgt", async () => {
    bench.file("d1.img", 8 * 1024 * 1024);
    await bench.must(
      "-o new -m target -t 1 -T iqn.2026-01.com.example:disk1",
      "-o new -m lu -t 1 -l 1 -b {}/d1.img",
      "-o bind -m target -t 1 -I 127.0.0.0/8",
      "-o new -m account -u alice -p wonderland",
      "-o new -m account -u bob -p builder",
      "-o bind -m account -t 1 -u alice",
      "-o bind -m account -t 1 -u bob --outgoing",
    );
    const lines = transcript();
    expect(lines.length).toBeGreaterThan(60);
    const port = await freePort();
    for (const { line: recorded, answer } of lines) {
      const line = recorded.replace(RECORDED_PORT, String(port));
      const { status, stdout, stderr } = await bench.ask(line);
      const end = status === 0 ? "rc=0\n" : `rc=${status}\n`;
      expect(`${stdout}${stderr}${end}`, line).toBe(answer);
    }
  });

  it("give an error that tgtd has for what fails, and for a defect one that says nothing", async () => {
    const { plane, server, parts } = bench.harness;
    const { log, volumes, portals } = parts;
    const common = { log, server, volumes, portals, system: new TgtSystem() };
    const request: TgtRequest = {
      mode: 1,
      operation: 0,
      driver: "iscsi",
      targetId: 1,
      sessionId: 0n,
      lun: NO_LUN,
      connectionId: 0,
      hostNumber: 0,
      deviceType: 0,
      accountDirection: 0,
      pack: 0,
      force: 0,
      text: "targetname=iqn.2026-01.com.example:one",
    };
    const stop = (): void => {
      throw new TypeError("a defect");
    };
    const daemon = { ...common, plane, stop };
    const ask = (changes: Partial<TgtRequest>) => execute(daemon, { ...request, ...changes });
    expect(await ask({ driver: "none" })).toEqual({ error: errorNumber("no-driver"), text: "" });
    expect(await ask({ mode: 99 })).toEqual({ error: errorNumber("invalid-request"), text: "" });
    const end = { mode: 0, operation: 1, targetId: NO_TARGET_ID, text: undefined };
    expect(await ask(end)).toEqual({ error: errorNumber("unknown"), text: "" });
    expect(JSON.stringify(bench.harness.lines)).toContain("a request ran into a defect");
    expect(await ask({})).toEqual({ error: 0, text: "" });
  });

  it("are answered whatever is in them, and make nothing that cannot be shown", async () => {
    const seed = chooseSeed(process.env);
    const random = new SeededRandom(seed);
    const { plane, server, parts, lines } = bench.harness;
    const { log, volumes, portals } = parts;
    const system = new TgtSystem();
    const daemon = { log, plane, server, volumes, portals, system, stop: () => undefined };
    bench.file("d1.img", 1024 * 1024);
    const pick = <T>(values: readonly T[]): T => values[random.below(values.length)] as T;
    const texts = [
      undefined,
      "",
      "targetname=iqn.2026-01.com.example:a",
      "targetname=iqn.2026-01.com.example:b",
      `path=${bench.path("d1.img")}`,
      `path=${bench.path("d1.img")},bstype=aio,bsoflags=`,
      "path=x,bstype=null",
      "targetOps readonly=1,online=0",
      "targetOps online=1,scsi_id=\u00ff",
      `targetOps path=${bench.path("d1.img")}`,
      "user=a,password=secret",
      "user=a",
      "user=b,password=",
      "initiator-address=ALL",
      "initiator-address=10.0.0.1,initiator-name=x",
      "initiator-name=" + "x".repeat(300),
      "state=offline",
      "MaxBurstLength=0x200",
      "RedirectAddress=" + "a".repeat(300),
      "RedirectPort=1",
      "RedirectReason=Temporary",
      "State=offline",
      "portal=999.1.1.1:1",
      ",,,=,=,",
    ];
    for (let count = 0; count < FUZZ_REQUESTS; count += 1) {
      const request: TgtRequest = {
        mode: pick([0, 1, 1, 1, 2, 2, 2, 3, 4, 5, 6, 7, 7, 8]),
        operation: random.below(10),
        driver: pick(["", "iscsi", "iscsi", "iser", "x"]),
        targetId: pick([NO_TARGET_ID, 0, 1, 1, 1, 2, 2 ** 31 - 1, -5]),
        sessionId: pick([0n, 1n, 2n ** 63n]),
        lun: pick([0n, 1n, 2n, 16_383n, 16_384n, 2n ** 60n, NO_LUN]),
        connectionId: random.below(3),
        hostNumber: random.below(3),
        deviceType: pick([0, 0, 0, 1, 99]),
        accountDirection: random.below(2),
        pack: 0,
        force: random.below(2),
        text: pick(texts),
      };
      const { error } = await execute(daemon, request);
      const isToStart = request.mode === 4 && request.driver === "iser";
      const what = `seed ${seed}: ${JSON.stringify({ ...request, lun: 0, sessionId: 0 })}`;
      if (!isToStart) expect(error, what).not.toBe(errorNumber("unknown"));
    }
    expect(JSON.stringify(lines)).not.toContain("a request ran into a defect");
    expect((await bench.ask("-o show -m target")).status).toBe(0);
  });

  it("end the daemon when it has no targets", async () => {
    await bench.must("-o new -m target -t 1 -T iqn.2026-01.com.example:one");
    expect(await bench.complaint("-o delete -m system")).toBe("invalid request");
    expect(bench.stops).toBe(0);
    await bench.must("-o delete -m target -t 1");
    const ending = bench.ask("-o delete -m system");
    while (bench.stops === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    await bench.tgt.close();
    expect(await ending).toMatchObject({ status: 0 });
  });

  it("stop the driver only where it has nothing to do; targets are made meanwhile for later", async () => {
    const target = "iqn.2026-01.com.example:one";
    await bench.must("-o stop -m lld -L iscsi", `-o new -m target -t 1 -T ${target}`);
    await bench.must("-o bind -m target -t 1 -I ALL");
    expect(await bench.must("-o show -m lld")).toContain(
      `    iscsi: stopped\n        Target 1: ${target}\n`,
    );
    await expect(bench.login(target)).rejects.toThrow();
    await bench.must("-o start -m lld -L iscsi");
    await bench.login(target);
    expect(await bench.complaint("-o stop -m lld -L iscsi")).toBe("this driver is busy");
  });
});
