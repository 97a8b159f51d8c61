import { expect, it } from "vitest";
import { startTgt } from "../../../../src/control/tgt/server/start-tgt.ts";
import { CONTROL_PORT, TgtBench } from "../support/tgt-bench.ts";

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
