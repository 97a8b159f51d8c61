import {
  anyText,
  flag,
  list,
  natural,
  optional,
  orNull,
  record,
  type Schema,
  type SchemasOf,
  text,
} from "./schema.ts";

/** What the login agreed on. Lengths in bytes. */
interface NegotiatedReport {
  readonly headerDigest: boolean;
  readonly dataDigest: boolean;
  /** What the initiator takes in one PDU. */
  readonly initiatorMaxRecvDataSegmentLength: number;
  readonly maxBurstLength: number;
  readonly firstBurstLength: number;
  readonly maxOutstandingR2T: number;
  readonly initialR2T: boolean;
  readonly immediateData: boolean;
}

export interface SessionReport {
  /** What tells it from all others that are there. */
  readonly tsih: number;
  readonly target: string;
  readonly initiator: string;
  readonly initiatorAlias: string | null;
  readonly isid: string;
  /** As whom it logged in; null: nobody had to. */
  readonly account: string | null;
  /** From where, and through which portal. */
  readonly address: string;
  readonly portal: string;
  /** ISO 8601. */
  readonly since: string;
  readonly parameters: NegotiatedReport;
}

const SESSION_REPORT: Schema<SessionReport> = record<SessionReport>(
  {
    tsih: natural("what tells it from the others"),
    target: anyText("where it is logged in"),
    initiator: anyText("the initiator's name"),
    initiatorAlias: orNull(anyText("what the initiator calls itself")),
    isid: anyText("the initiator's number for it"),
    account: orNull(anyText("as whom it logged in; null: nobody had to")),
    address: anyText("ADDRESS:PORT that it comes from"),
    portal: anyText("ADDRESS:PORT that it came to"),
    since: anyText("ISO 8601"),
    parameters: record<NegotiatedReport>({
      headerDigest: flag("CRC32C over headers"),
      dataDigest: flag("CRC32C over data"),
      initiatorMaxRecvDataSegmentLength: natural(
        "bytes of one PDU's data that the initiator takes",
      ),
      maxBurstLength: natural("bytes of one sequence of data"),
      firstBurstLength: natural("bytes that come before they are asked for"),
      maxOutstandingR2T: natural("requests for data of one command at a time"),
      initialR2T: flag("nothing comes before it is asked for"),
      immediateData: flag("data may come with the command"),
    }),
  },
  "SessionReport",
);

/** Which sessions are meant: those that fit all that is given. */
export interface SessionArguments {
  readonly tsih?: number;
  readonly target?: string;
  readonly initiator?: string;
}

export interface SessionProtocol {
  "session/list": {
    readonly arguments: SessionArguments;
    readonly reply: readonly SessionReport[];
  };
  /** Answers with the sessions that have ended. */
  "session/logout": {
    readonly arguments: SessionArguments;
    readonly reply: readonly SessionReport[];
  };
}

const SESSIONS: Schema<SessionArguments> = record<SessionArguments>({
  tsih: optional(natural("the session of this number")),
  target: optional(text("of this target, by its iSCSI name")),
  initiator: optional(text("of this initiator, by its iSCSI name")),
});

export const SESSION_SCHEMAS: SchemasOf<SessionProtocol> = {
  "session/list": { arguments: SESSIONS, reply: list("sessions", SESSION_REPORT) },
  "session/logout": {
    arguments: SESSIONS,
    reply: list("the sessions that have ended", SESSION_REPORT),
  },
};
