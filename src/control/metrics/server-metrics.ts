import { LoginStatus } from "../../iscsi/login/login-status.ts";
import type { Metric, Sample } from "./metric.ts";
import type { MetricSources } from "./sources.ts";

/** `authenticationFailure` as `authentication_failure`. */
function labelOf(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

const REFUSALS = Object.entries(LoginStatus).filter(([name]) => name !== "success");

/** All reasons there are, so that each begins at zero and its first refusal is an increase. */
function* refusals({ server }: MetricSources): Generator<Sample> {
  for (const [name, status] of REFUSALS) {
    const value = server.totals.refusedLogins.get(status) ?? 0;
    yield { labels: { reason: labelOf(name) }, value };
  }
}

/** The sample of a metric without labels. */
function single(value: number): Sample[] {
  return [{ labels: {}, value }];
}

function byLabel(label: string, values: Readonly<Record<string, number>>): Sample[] {
  return Object.entries(values).map(([name, value]) => ({ labels: { [label]: name }, value }));
}

/** What comes to the portals. */
export const SERVER_METRICS: readonly Metric<MetricSources>[] = [
  {
    name: "thinlun_build_info",
    help: "Always 1; the labels say what runs.",
    type: "gauge",
    labels: ["version", "node"],
    collect: ({ version }) => [{ labels: { version, node: process.versions.node }, value: 1 }],
  },
  {
    name: "thinlun_portals",
    help: "Addresses on which logins are accepted.",
    type: "gauge",
    labels: [],
    collect: ({ server }) => single(server.portals.length),
  },
  {
    name: "thinlun_sessions",
    help: "Sessions of a target that are logged in.",
    type: "gauge",
    labels: ["target"],
    collect: ({ server }) => {
      const counts = Object.fromEntries([...server.targets.keys()].map((name) => [name, 0]));
      for (const { target } of server.sessions) {
        counts[target.name] = (counts[target.name] ?? 0) + 1;
      }
      return byLabel("target", counts);
    },
  },
  {
    name: "thinlun_connections",
    help: "Connections of initiators, those that are not logged in yet included.",
    type: "gauge",
    labels: [],
    collect: ({ server }) => single(server.statistics.connections),
  },
  {
    name: "thinlun_connections_accepted_total",
    help: "Connections that were accepted.",
    type: "counter",
    labels: [],
    collect: ({ server }) => single(server.totals.connectionsAccepted),
  },
  {
    name: "thinlun_connections_refused_total",
    help: "Connections that were turned away because there were too many.",
    type: "counter",
    labels: [],
    collect: ({ server }) => single(server.totals.connectionsRefused),
  },
  {
    name: "thinlun_logins_total",
    help: "Logins that succeeded, by the type of the session.",
    type: "counter",
    labels: ["type"],
    collect: ({ server: { totals } }) =>
      byLabel("type", { normal: totals.normalLogins, discovery: totals.discoveryLogins }),
  },
  {
    name: "thinlun_login_refusals_total",
    help: "Logins that were refused, by the status that the initiator was given.",
    type: "counter",
    labels: ["reason"],
    collect: refusals,
  },
  {
    name: "thinlun_login_timeouts_total",
    help: "Connections that were dropped because their login took too long.",
    type: "counter",
    labels: [],
    collect: ({ server }) => single(server.totals.loginTimeouts),
  },
  {
    name: "thinlun_protocol_errors_total",
    help: "Connections that were ended because the initiator broke the protocol.",
    type: "counter",
    labels: [],
    collect: ({ server }) => single(server.totals.protocolErrors),
  },
  {
    name: "thinlun_digest_errors_total",
    help: "PDUs whose digest was wrong, by the part that it covers.",
    type: "counter",
    labels: ["part"],
    collect: ({ server }) => {
      const { headerDigestErrors, dataDigestErrors } = server.totals.connections;
      return byLabel("part", { header: headerDigestErrors, data: dataDigestErrors });
    },
  },
  {
    name: "thinlun_rejects_total",
    help: "PDUs that were rejected.",
    type: "counter",
    labels: [],
    collect: ({ server }) => single(server.totals.connections.rejects),
  },
  {
    name: "thinlun_received_bytes_total",
    help: "Bytes that initiators have sent, headers and digests included.",
    type: "counter",
    labels: [],
    collect: ({ server }) => single(server.totals.connections.receivedOctets),
  },
  {
    name: "thinlun_sent_bytes_total",
    help: "Bytes that were sent to initiators, headers and digests included.",
    type: "counter",
    labels: [],
    collect: ({ server }) => single(server.totals.connections.sentOctets),
  },
  {
    name: "thinlun_pdus_total",
    help: "PDUs of SCSI commands, by their kind.",
    type: "counter",
    labels: ["kind"],
    collect: ({ server }) => {
      const { commands, dataOuts, dataIns, responses } = server.totals.connections;
      return byLabel("kind", {
        command: commands,
        data_out: dataOuts,
        data_in: dataIns,
        response: responses,
      });
    },
  },
];
