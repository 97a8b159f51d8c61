import { fail, type Finding, ok, warn } from "./finding.ts";
import type { Host } from "./host.ts";

const ISCSI_PORT = 3260;

/** Names of programs that are this one. */
const OURS: ReadonlySet<string> = new Set(["node", "thinlun", "MainThread", "node-MainThread"]);

export async function checkPort(host: Host): Promise<Finding> {
  const listener = await host.listenerOn(ISCSI_PORT);
  if (listener === null) return ok("port", `port ${ISCSI_PORT} is free`);
  const { holder, pid } = listener;
  if (holder === "kernel") {
    return fail(
      "port",
      `port ${ISCSI_PORT} is taken by the kernel's target (LIO)`,
      "targetcli clearconfig confirm=True, and systemctl disable --now target rtslib-fb-targetctl; or listen elsewhere",
    );
  }
  if (holder === "tgtd") {
    return fail(
      "port",
      `port ${ISCSI_PORT} is taken by tgtd (process ${pid})`,
      "thinlun import-tgt takes its targets over; then: systemctl disable --now tgt",
    );
  }
  if (OURS.has(holder))
    return ok("port", `port ${ISCSI_PORT} is served by process ${pid} (${holder})`);
  return fail(
    "port",
    `port ${ISCSI_PORT} is taken by ${holder} (process ${pid})`,
    "Stop it, or listen elsewhere (portals in the configuration)",
  );
}

/** What a restart of the daemon may take, seen by an initiator: longer than this it gives up I/O. */
const REPLACEMENT_SECONDS_MIN = 60;

const REPLACEMENT_SETTING = "node.session.timeo.replacement_timeout";

/** The settings of this host's own initiator, which bridge a restart of a target. */
export async function checkInitiator(host: Host): Promise<Finding> {
  const text = await host.readText("/etc/iscsi/iscsid.conf");
  if (text === null)
    return ok("initiator", "this host has no Open-iSCSI initiator, or none that may be looked at");
  const value = new RegExp(
    `^\\s*${REPLACEMENT_SETTING.replaceAll(".", "\\.")}\\s*=\\s*(-?\\d+)`,
    "m",
  ).exec(text)?.[1];
  const seconds = value === undefined ? 120 : Number(value);
  // Negative: at once. 0: never.
  if (seconds === 0 || seconds >= REPLACEMENT_SECONDS_MIN) {
    return ok(
      "initiator",
      `this host's initiator waits ${seconds === 0 ? "without end" : `${seconds} s`} for a target that restarts`,
    );
  }
  return warn(
    "initiator",
    `this host's initiator gives a target up after ${seconds} s, and file systems on it fail then`,
    `Without multipath, set ${REPLACEMENT_SETTING} = 120 in /etc/iscsi/iscsid.conf, and for known nodes: iscsiadm -m node -o update -n ${REPLACEMENT_SETTING} -v 120`,
  );
}

/** Only a hint: rules of firewalls can say anything. */
export async function checkFirewall(host: Host): Promise<Finding> {
  const firewalld = await host.run("firewall-cmd", "--state");
  if (firewalld?.exitCode === 0) {
    const open = await host.run("firewall-cmd", "--query-service=iscsi-target");
    const port = await host.run("firewall-cmd", `--query-port=${ISCSI_PORT}/tcp`);
    if (open?.exitCode === 0 || port?.exitCode === 0)
      return ok("firewall", "firewalld lets iSCSI in");
    return warn(
      "firewall",
      `firewalld does not let port ${ISCSI_PORT} in`,
      "firewall-cmd --permanent --add-service=iscsi-target && firewall-cmd --reload",
    );
  }
  const ufw = await host.run("ufw", "status");
  if (ufw !== null && /^Status: active/m.test(ufw.stdout)) {
    if (/^(3260|3260\/tcp)\s+ALLOW/m.test(ufw.stdout)) return ok("firewall", "ufw lets iSCSI in");
    return warn(
      "firewall",
      `ufw does not let port ${ISCSI_PORT} in`,
      `ufw allow from YOUR-NETWORK to any port ${ISCSI_PORT} proto tcp`,
    );
  }
  const rules = await host.run("nft", "list", "ruleset");
  const drops = rules !== null && /hook input [^;]*;\s*policy drop/.test(rules.stdout);
  if (!drops || /\b3260\b/.test(rules.stdout)) {
    return ok("firewall", "no firewall is known to keep initiators out");
  }
  return warn(
    "firewall",
    `nftables drops what comes in, and no rule names port ${ISCSI_PORT}`,
    `Add to the chain of "hook input": tcp dport ${ISCSI_PORT} accept`,
  );
}
