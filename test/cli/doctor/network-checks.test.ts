import { describe, expect, it } from "vitest";
import {
  checkFirewall,
  checkInitiator,
  checkPort,
} from "../../../src/cli/doctor/network-checks.ts";
import { hostWith } from "./support.ts";

describe("the port", () => {
  it.each([
    [null, "ok", /free/],
    [{ holder: "kernel", pid: null }, "fail", /LIO/],
    [{ holder: "tgtd", pid: 12 }, "fail", /tgtd \(process 12\)/],
    [{ holder: "node", pid: 13 }, "ok", /process 13/],
    [{ holder: "nginx", pid: 14 }, "fail", /nginx \(process 14\)/],
  ])("with %j is %s", async (listener, level, message) => {
    const finding = await checkPort(hostWith({ listenerOn: () => Promise.resolve(listener) }));
    expect(finding).toMatchObject({ level, message: expect.stringMatching(message) as string });
  });
});

describe("this host's initiator", () => {
  const finding = (text: string) =>
    checkInitiator(hostWith({ files: { "/etc/iscsi/iscsid.conf": text } }));

  it("may not be there", async () => {
    expect(await checkInitiator(hostWith())).toMatchObject({ level: "ok" });
  });

  it.each([
    ["", "ok"],
    ["node.session.timeo.replacement_timeout = 120\n", "ok"],
    ["# node.session.timeo.replacement_timeout = 5\n", "ok"],
    ["node.session.timeo.replacement_timeout=5\n", "warn"],
    ["node.session.timeo.replacement_timeout = -1\n", "warn"],
    ["node.session.timeo.replacement_timeout = 0\n", "ok"],
  ])("with %j is %s", async (text, level) => {
    expect(await finding(text)).toMatchObject({ level });
  });
});

describe("the firewall", () => {
  const rules = (text: string) => ({ "nft list ruleset": text });
  const drop = "chain input { type filter hook input priority filter; policy drop; }";

  it.each([
    [{}, [], "ok"],
    [{ "firewall-cmd --state": "" }, [], "warn"],
    [{ "firewall-cmd --state": "", "firewall-cmd --query-service=iscsi-target": "" }, [], "ok"],
    [{ "firewall-cmd --state": "", "firewall-cmd --query-port=3260/tcp": "" }, [], "ok"],
    [{ "ufw status": "Status: active\n" }, ["firewall-cmd --state"], "warn"],
    [{ "ufw status": "Status: active\n\n3260/tcp   ALLOW  Anywhere\n" }, [], "ok"],
    [{ "ufw status": "Status: inactive\n" }, [], "ok"],
    [rules(drop), [], "warn"],
    [rules(`${drop} tcp dport { 22, 3260 } accept`), [], "ok"],
    [rules(drop.replace("drop", "accept")), [], "ok"],
  ])("that says %j is %s %s", async (programs, failing, level) => {
    const finding = await checkFirewall(hostWith({ programs, failing }));
    expect(finding).toMatchObject({ check: "firewall", level });
  });
});
