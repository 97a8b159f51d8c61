import { expect, it } from "vitest";
import { setDriver, setSystem } from "../../../../src/control/tgt/execute/set-system.ts";
import { TGTADM } from "../../../../src/control/tgt/execute/tgt-daemon.ts";
import { TgtSystem } from "../../../../src/control/tgt/execute/tgt-system.ts";
import { Audit } from "../../../../src/control/audit.ts";
import { type LogLine, recordingLog } from "../../../support/recording-log.ts";
import { INITIATOR, TgtBench } from "../support/tgt-bench.ts";

const NAME = "iqn.2026-01.com.example:one";

it("settings of tgt's daemon as a whole are told of, though they are not kept", () => {
  const lines: LogLine[] = [];
  const system = new TgtSystem();
  const daemon = { system, plane: { audit: new Audit(recordingLog(lines)) } };
  setSystem(daemon as never, [{ key: "debug", value: "on" }]);
  setDriver(daemon as never, "stopped");
  expect(system.settings.debug).toBe(true);
  expect(system.driver).toBe("stopped");
  expect(lines.map(({ fields }) => fields)).toMatchObject([
    { by: TGTADM.name, changes: [{ fields: [{ field: "debug", after: "on" }] }] },
    { by: TGTADM.name, changes: [{ fields: [{ before: "ready", after: "stopped" }] }] },
  ]);
});

it("each of tgtadm's commands that changes something has one entry in the audit", async () => {
  const bench = await TgtBench.start();
  try {
    bench.file("a", 1024 * 1024);
    const { lines } = bench.harness;
    const entries = () => lines.filter(({ message }) => message === "changed");
    const problems: string[] = [];
    const play = async (line: string): Promise<void> => {
      const before = entries().length;
      await bench.must(`--lld iscsi ${line}`);
      const added = entries().slice(before);
      const isTold =
        added.length === 1 &&
        added[0]?.fields["by"] === TGTADM.name &&
        String(added[0]?.fields["operation"]).startsWith("tgt ");
      if (!isTold) problems.push(`${line}: ${JSON.stringify(added)}`);
    };
    for (const line of [
      `--mode target --op new --tid 1 -T ${NAME}`,
      "--mode logicalunit --op new --tid 1 --lun 1 -b {}/a",
      "--mode logicalunit --op update --tid 1 --lun 1 --params vendor_id=ME",
      "--mode target --op update --tid 1 --name MaxBurstLength --value 65536",
      "--mode target --op bind --tid 1 -I ALL",
      "--mode account --op new --user alice --password wonderland-12345",
      "--mode portal --op new --param portal=127.0.0.3:0",
      "--mode sys --op update --name debug --value on",
    ]) {
      await play(line);
    }
    const session = await bench.login(NAME);
    const before = entries().length;
    const shown = await bench.must("--lld iscsi --mode conn --op show --tid 1");
    const sid = /Session: (\d+)/.exec(shown)?.[1];
    const cid = /Connection: (\d+)/.exec(shown)?.[1];
    await bench.must(`--lld iscsi --mode conn --op delete --tid 1 --sid ${sid} --cid ${cid}`);
    expect(entries().slice(before)).toMatchObject([
      {
        fields: {
          operation: "tgt connection delete",
          changes: [{ kind: "session", thing: { target: NAME, initiator: INITIATOR } }],
        },
      },
    ]);
    session.destroy();
    for (const line of [
      "--mode account --op bind --tid 1 --user alice",
      "--mode account --op unbind --tid 1 --user alice",
      "--mode account --op delete --user alice",
      "--mode target --op unbind --tid 1 -I ALL",
      "--mode logicalunit --op delete --tid 1 --lun 1",
      "--mode target --op delete --tid 1 --force",
    ]) {
      await play(line);
    }
    expect(problems).toEqual([]);
  } finally {
    await bench.dispose();
  }
});
