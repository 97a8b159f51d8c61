import { expect, it } from "vitest";
import { startTgt } from "../../../../src/control/tgt/server/start-tgt.ts";
import { NodeType } from "../../../../src/control/isns/constants.ts";
import { eventually } from "../../../support/in-process-target.ts";
import { FakeIsnsServer } from "../../isns/support/isns-server.ts";
import { CONTROL_PORT, INITIATOR, TgtBench } from "../support/tgt-bench.ts";

it("serves a control port, which is free again in the end", async () => {
  const bench = await TgtBench.start();
  try {
    expect(await bench.must("-o show -m target")).toBe("");
    const { plane, server, parts } = bench.harness;
    const { log, volumes, portals } = parts;
    const socketPath = `${bench.socketBase}.${CONTROL_PORT}`;
    const daemon = { log, plane, server, volumes, portals, stop: () => undefined };
    await expect(startTgt(daemon, socketPath)).rejects.toThrow(/another tgtd/);
    await bench.tgt.close();
    expect(await bench.ask("-o show -m target")).toMatchObject({ status: 107 });
    const again = await startTgt(daemon, socketPath);
    expect(await bench.must("-o show -m target")).toBe("");
    await again.close();
  } finally {
    await bench.dispose();
  }
});

it("tells whoever asks of the name service", async () => {
  const bench = await TgtBench.start();
  try {
    const servers: string[] = [];
    bench.tgt.system.subscribe(({ isns }) => void servers.push(isns.serverAddress));
    await bench.must("-o update -m sys -n iSNSServerIP -v 192.0.2.1");
    expect(servers).toEqual(["192.0.2.1"]);
  } finally {
    await bench.dispose();
  }
});

it("registers with the name server that tgtadm names, and lets in whom that one lets", async () => {
  const names = new FakeIsnsServer();
  const bench = await TgtBench.start({}, { isnsNetwork: names.network });
  const target = "iqn.2026-01.com.example:disk1";
  try {
    await bench.must(
      `-o new -m target -t 1 -T ${target}`,
      "-o bind -m target -t 1 -I ALL",
      "-o update -m sys -n iSNSServerIP -v 192.0.2.1",
      "-o update -m sys -n iSNS -v On",
    );
    await eventually(() => names.nodes.has(target), "the target is registered");
    await (await bench.login(target)).logout();
    await bench.must("-o update -m sys -n iSNSAccessControl -v On");
    await expect(bench.login(target)).rejects.toThrow(/0202|authorization|not allowed/i);
    names.register(INITIATOR, NodeType.initiator);
    names.domains.push(new Set([target, INITIATOR]));
    await bench.must("-o update -m sys -n iSNS -v Off", "-o update -m sys -n iSNS -v On");
    await expect
      .poll(() =>
        bench.login(target).then(
          (session) => session.logout().then(() => true),
          () => false,
        ),
      )
      .toBe(true);
    await bench.must("-o delete -m target -t 1 --force");
    await eventually(() => !names.nodes.has(target), "the target is registered no more");
  } finally {
    await bench.dispose();
  }
});
