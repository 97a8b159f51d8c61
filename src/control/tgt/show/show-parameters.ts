import { line } from "./lines.ts";

/** What a target negotiates before anybody changes it, in tgt's order; lengths are in bytes, times in seconds. */
export const SESSION_KEY_DEFAULTS = {
  MaxRecvDataSegmentLength: "8192",
  HeaderDigest: "None",
  DataDigest: "None",
  InitialR2T: "Yes",
  MaxOutstandingR2T: "1",
  ImmediateData: "Yes",
  FirstBurstLength: "65536",
  MaxBurstLength: "262144",
  DataPDUInOrder: "Yes",
  DataSequenceInOrder: "Yes",
  ErrorRecoveryLevel: "0",
  IFMarker: "No",
  OFMarker: "No",
  DefaultTime2Wait: "2",
  DefaultTime2Retain: "20",
  OFMarkInt: "Reject",
  IFMarkInt: "Reject",
  MaxConnections: "1",
  RDMAExtensions: "Yes",
  TargetRecvDataSegmentLength: "262144",
  InitiatorRecvDataSegmentLength: "262144",
  MaxOutstandingUnexpectedPDUs: "0",
  MaxXmitDataSegmentLength: "8192",
  MaxQueueCmd: "128",
} as const;

/** The name of a session key. */
export type SessionKey = keyof typeof SESSION_KEY_DEFAULTS;

/** Where a target sends whoever wants to log in. */
export type ShownRedirect =
  | {
      readonly to: "address";
      readonly address: string;
      /** Undefined, as the reason, where nobody has set it. */
      readonly port: number | undefined;
      readonly reason: "Temporary" | "Permanent" | undefined;
    }
  /** Whatever this program answers. */
  | { readonly to: "callback"; readonly program: string };

/** The iSCSI parameters of a target. */
export interface ShownParameters {
  /** Seconds between NOP-Ins; 0 for none. */
  readonly nopIntervalSeconds: number;
  readonly nopCount: number;
  /** Values in the words of the protocol. What is left out has its default. */
  readonly keys: Readonly<Partial<Record<SessionKey, string>>>;
  readonly redirect: ShownRedirect | undefined;
}

function redirectLines(redirect: ShownRedirect): string {
  if (redirect.to === "callback") return line(0, `RedirectCallback=${redirect.program}`);
  return (
    line(0, `RedirectAddress=${redirect.address}`) +
    line(0, `RedirectPort=${redirect.port ?? ""}`) +
    line(0, `RedirectReason=${redirect.reason ?? "Unknown"}`)
  );
}

/** What `--mode target --tid N --op show` prints: where a target redirects to, or else what it negotiates. */
export function showParameters(parameters: ShownParameters): string {
  if (parameters.redirect !== undefined) return redirectLines(parameters.redirect);
  const values = { ...SESSION_KEY_DEFAULTS, ...parameters.keys };
  return (
    line(0, `nop_interval=${parameters.nopIntervalSeconds}`) +
    line(0, `nop_count=${parameters.nopCount}`) +
    Object.entries(values)
      .map(([key, value]) => line(0, `${key}=${value}`))
      .join("")
  );
}
