import { afterEach, describe, expect, it } from "vitest";

import { Metrics } from "../../../src/control/metrics/metrics.ts";
import { newCdb } from "../../../src/initiator/scsi.ts";
import { chapPolicy, InProcessTarget, TARGET_NAME } from "../../support/in-process-target.ts";
import { exposed, type ExposedFamily, parseExposition } from "./support/exposition.ts";

let target: InProcessTarget;

afterEach(async () => {
  await target.close();
});

async function scrape(): Promise<ReadonlyMap<string, ExposedFamily>> {
  const sources = { server: target.server, pools: () => [], version: "1.2.3" };
  return parseExposition(await new Metrics(sources, false).text());
}

describe("the metrics of the server", () => {
  it("count sessions, logins and refusals by reason", async () => {
    const authentication = chapPolicy("alice", "a secret of hers");
    target = await InProcessTarget.start({
      targets: [{}, { name: `${TARGET_NAME}.closed`, settings: { authentication } }],
    });
    await target.connect();
    await target.connect({ sessionType: "discovery" });
    const refused = { targetName: `${TARGET_NAME}.closed` };
    await expect(target.connect(refused)).rejects.toThrow();
    await expect(target.connect({ targetName: `${TARGET_NAME}.none` })).rejects.toThrow();
    await expect(target.connect({ targetName: `${TARGET_NAME}.none` })).rejects.toThrow();
    const families = await scrape();
    const value = (name: string, labels = {}): number | undefined =>
      exposed(families, `thinlun_${name}`, labels);
    expect(value("sessions", { target: TARGET_NAME })).toBe(1);
    expect(value("sessions", { target: `${TARGET_NAME}.closed` })).toBe(0);
    expect(value("logins_total", { type: "normal" })).toBe(1);
    expect(value("logins_total", { type: "discovery" })).toBe(1);
    expect(value("login_refusals_total", { reason: "authentication_failure" })).toBe(1);
    expect(value("login_refusals_total", { reason: "not_found" })).toBe(2);
    expect(value("login_refusals_total", { reason: "out_of_resources" })).toBe(0);
    expect(value("connections_accepted_total")).toBe(5);
    expect(value("portals")).toBe(1);
    expect(value("build_info", { version: "1.2.3", node: process.versions.node })).toBe(1);
  });

  it("count what goes over the wire, also of connections that are gone", async () => {
    target = await InProcessTarget.start();
    const session = await target.connect();
    await session.execute({ lun: 0, cdb: newCdb(6, 0x00) });
    const before = await scrape();
    session.destroy();
    await target.idle();
    const after = await scrape();
    for (const families of [before, after]) {
      expect(exposed(families, "thinlun_pdus_total", { kind: "command" })).toBe(1);
      expect(exposed(families, "thinlun_pdus_total", { kind: "response" })).toBe(1);
    }
    for (const name of ["thinlun_received_bytes_total", "thinlun_sent_bytes_total"]) {
      expect(exposed(after, name)).toBe(exposed(before, name));
      expect(exposed(after, name)).toBeGreaterThan(48);
    }
    expect(exposed(before, "thinlun_connections")).toBe(1);
    expect(exposed(after, "thinlun_connections")).toBe(0);
  });
});
