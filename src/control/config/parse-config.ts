import { OPEN_ACCESS } from "../../iscsi/auth/access-list.ts";
import { CONNECTIONS_MAX } from "../../iscsi/limits.ts";
import { DEFAULT_PINGS, type PingSettings } from "../../iscsi/ping-watch.ts";
import { LOG_LEVELS } from "../../util/log.ts";
import { type Alias, type Document, LineCounter, parseDocument, visit } from "yaml";
import { accessDocument, accessShape } from "./access-shape.ts";
import {
  account,
  accountDocument,
  authenticationDocument,
  authenticationShape,
} from "./authentication-shape.ts";
import { checkTogether } from "./checks.ts";
import type { Config, DiscoveryConfig, LimitsConfig, LogConfig, PortalConfig } from "./config.ts";
import type { ConfigDocument } from "./document.ts";
import { httpShape } from "./http-shape.ts";
import type { Inventory } from "./inventory.ts";
import { ACCOUNTS_MAX, PORTALS_MAX, TARGETS_MAX } from "./limits.ts";
import { ConfigError, type Finding, type ReadSecretFile, Report } from "./report.ts";
import {
  choiceOf,
  flag,
  integer,
  listOf,
  mapped,
  named,
  object,
  optional,
  partialObject,
  required,
  type Shape,
} from "./shape.ts";
import { pingsShape, PORTAL_GROUP_MAX, targetDocument, targetShape } from "./target-shape.ts";
import { poolDocument, poolShape } from "./pool-shape.ts";
import { filePath, listenEndpoint, poolName, remoteEndpoint, volumeKey } from "./values.ts";
import { volumeDocument, volumeShape } from "./volume-shape.ts";
import { formatEndpoint, ISCSI_PORT } from "./endpoint.ts";

const DEFAULT_LOG: LogConfig = { level: "info", pretty: "auto" };

const DEFAULT_DISCOVERY: DiscoveryConfig = {
  enabled: true,
  authentication: null,
  access: OPEN_ACCESS,
};

const DEFAULT_LIMITS: LimitsConfig = { connections: CONNECTIONS_MAX, pings: DEFAULT_PINGS };

/** Without portals, only this host can connect: to be open to others is a decision. */
const DEFAULT_PORTALS: readonly PortalConfig[] = [
  { listen: { address: "127.0.0.1", port: ISCSI_PORT }, group: 1, advertise: null },
];

const portal: Shape<PortalConfig> = object<PortalConfig>({
  listen: required(listenEndpoint),
  group: optional(integer(1, PORTAL_GROUP_MAX), 1),
  advertise: optional(remoteEndpoint, null),
});

const portals = listOf(portal, PORTALS_MAX, "nobody could connect");
const pools = named(poolName, poolShape);
const volumes = named(volumeKey, volumeShape);
const targets = listOf(targetShape, TARGETS_MAX);
const accounts = listOf(account, ACCOUNTS_MAX);

const NONE: ReadonlyMap<string, never> = new Map<string, never>();

const log = object<LogConfig>({
  level: optional(choiceOf(LOG_LEVELS), DEFAULT_LOG.level),
  pretty: optional(choiceOf(["auto", "on", "off"]), DEFAULT_LOG.pretty),
});

interface DiscoveryKeys {
  readonly enabled: boolean;
  readonly auth: DiscoveryConfig["authentication"];
  readonly allow: DiscoveryConfig["access"];
}

const discovery: Shape<DiscoveryConfig> = mapped(
  object<DiscoveryKeys>({
    enabled: optional(flag, true),
    auth: optional(authenticationShape, null),
    allow: optional(accessShape, OPEN_ACCESS),
  }),
  ({ enabled, auth, allow }) => ({ enabled, authentication: auth, access: allow }),
);

const pings: Shape<PingSettings> = mapped(pingsShape, (given) => ({ ...DEFAULT_PINGS, ...given }));

const limits = object<LimitsConfig>({
  connections: optional(integer(1, CONNECTIONS_MAX), DEFAULT_LIMITS.connections),
  pings: optional(pings, DEFAULT_LIMITS.pings),
});

/** What {@link discovery} reads back, secrets and all. */
function discoveryDocument({ enabled, authentication, access }: DiscoveryConfig): ConfigDocument {
  const auth = authentication === null ? null : authenticationDocument(authentication);
  return { enabled, auth, allow: accessDocument(access) };
}

function portalDocument({ listen, group, advertise }: PortalConfig): ConfigDocument {
  const advertised = advertise === null ? null : formatEndpoint(advertise);
  return { listen: formatEndpoint(listen), group, advertise: advertised };
}

/** Of the configuration, what can be changed by commands while the daemon runs. */
const inventoryShape: Shape<Inventory> = object<Inventory>({
  portals: optional(listOf(portal, PORTALS_MAX), []),
  pools: optional(pools, NONE),
  volumes: optional(volumes, NONE),
  targets: optional(targets, []),
  discovery: optional(discovery, null),
  accounts: optional(accounts, []),
});

/** What {@link parseInventory} reads back, secrets and all. */
export function inventoryDocument(inventory: Inventory): ConfigDocument {
  const { discovery: discovered } = inventory;
  return {
    portals: inventory.portals.map(portalDocument),
    pools: mappedDocument(inventory.pools, poolDocument),
    volumes: mappedDocument(inventory.volumes, volumeDocument),
    targets: inventory.targets.map(targetDocument),
    discovery: discovered === null ? null : discoveryDocument(discovered),
    accounts: inventory.accounts.map(accountDocument),
  };
}

function mappedDocument<T>(
  map: ReadonlyMap<string, T>,
  encode: (value: T) => ConfigDocument,
): ConfigDocument {
  return Object.fromEntries([...map].map(([name, value]) => [name, encode(value)]));
}

const configShape = partialObject<Config>({
  stateDir: optional(filePath, null),
  log: optional(log, DEFAULT_LOG),
  poll: optional(choiceOf(["auto", "off"]), "auto"),
  portals: optional(portals, DEFAULT_PORTALS),
  pools: optional(pools, NONE),
  volumes: required(volumes),
  targets: required(targets),
  discovery: optional(discovery, DEFAULT_DISCOVERY),
  accounts: optional(accounts, []),
  limits: optional(limits, DEFAULT_LIMITS),
  http: optional(httpShape, null),
});

/** The text of a configuration, and what it needs of the world around it. */
export interface ConfigText {
  /** For messages. */
  readonly fileName: string;
  readonly text: string;
  /** Where relative paths start; absolute. */
  readonly folder: string;
  readonly readSecretFile: ReadSecretFile;
}

export interface ParsedConfig {
  readonly config: Config;
  readonly warnings: readonly Finding[];
  /** Whether the text itself has a secret in it. */
  readonly holdsSecrets: boolean;
}

/**
 * Reads a configuration in YAML 1.2.
 *
 * @throws {ConfigError} all that is wrong with it, each with its line
 */
export function parseConfig(source: ConfigText): ParsedConfig {
  const { document, report } = readText(source);
  const config = configShape(document.contents, "", report);
  if (config !== undefined) checkTogether(config, report);
  if (report.problems.length > 0) throw new ConfigError(source.fileName, sorted(report.problems));
  return {
    config: config as Config,
    warnings: sorted(report.warnings),
    holdsSecrets: report.holdsSecrets,
  };
}

/**
 * Reads what commands have made, or want to be made: parts of a configuration, which may mean things that others have.
 *
 * @throws {ConfigError} all that is wrong with it, each with its line
 */
export function parseInventory(source: ConfigText): Inventory {
  const { document, report } = readText(source);
  const inventory = inventoryShape(document.contents, "", report);
  if (inventory !== undefined) return inventory;
  throw new ConfigError(source.fileName, sorted(report.problems));
}

interface ReadText {
  readonly document: Document.Parsed;
  readonly report: Report;
}

function readText({ fileName, text, folder, readSecretFile }: ConfigText): ReadText {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const complaints = yamlComplaints(document);
  if (complaints.length > 0) {
    const findings = complaints.map(({ offset, message }) => {
      const { line, col } = lines.linePos(offset);
      return { line, column: col, message };
    });
    throw new ConfigError(fileName, findings);
  }
  return { document, report: new Report({ document, lines, folder, readSecretFile }) };
}

/** What is wrong with it as YAML, before anybody looks at what it says. */
function yamlComplaints(document: Document.Parsed): { offset: number; message: string }[] {
  const found = [...document.errors, ...document.warnings];
  const complaints = found.map(({ pos, message }) => ({ offset: pos[0], message }));
  if (complaints.length > 0) return complaints;
  visit(document, {
    Alias(_key: unknown, node: Alias) {
      if (node.resolve(document) !== undefined) return;
      const message = `there is no anchor "&${node.source}" before this alias`;
      complaints.push({ offset: node.range?.[0] ?? 0, message });
    },
  });
  return complaints;
}

function sorted(findings: readonly Finding[]): readonly Finding[] {
  return findings.toSorted((left, right) => left.line - right.line || left.column - right.column);
}
