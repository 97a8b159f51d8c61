import { expect, it } from "vitest";
import { TgtBench } from "../support/tgt-bench.ts";

it("shows what is built in, and what is set", async () => {
  const bench = await TgtBench.start();
  try {
    await bench.must("-o update -m sys -n debug -v on", "-o update -m sys -n iSNS -v On");
    const text = await bench.must("-o show -m sys");
    expect(text).toBe(
      [
        "System:",
        "    State: ready",
        "    debug: on",
        "LLDs:",
        "    iscsi: ready",
        "    iser: error",
        "Backing stores:",
        "    null",
        "    rdwr (bsoflags sync:direct)",
        "    aio",
        "    thin (bsoflags sync)",
        "Device types:",
        "    disk",
        "    controller",
        "iSNS:",
        "    iSNS=On",
        "    iSNSServerIP=",
        "    iSNSServerPort=3205",
        "    iSNSAccessControl=Off",
        "",
      ].join("\n"),
    );
  } finally {
    await bench.dispose();
  }
});
