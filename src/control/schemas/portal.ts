import {
  anyText,
  list,
  natural,
  NOTHING,
  type Nothing,
  optional,
  orNull,
  record,
  type Schema,
  type SchemasOf,
  text,
} from "./schema.ts";
import { ORIGIN, type Origin } from "./target.ts";

export interface PortalReport {
  /** As it was asked for. */
  readonly listen: string;
  /** Where it listens; null: it could not. */
  readonly address: string | null;
  readonly group: number;
  /** What discovery tells in its place; null: where it was reached. */
  readonly advertise: string | null;
  readonly origin: Origin;
}

const PORTAL_REPORT: Schema<PortalReport> = record<PortalReport>(
  {
    listen: anyText("ADDRESS:PORT, as it was asked for"),
    address: orNull(anyText("ADDRESS:PORT where it listens; null: it could not")),
    group: natural("the portal group that it is in"),
    advertise: orNull(anyText("what discovery tells in its place")),
    origin: ORIGIN,
  },
  "PortalReport",
);

interface PortalArguments {
  readonly listen: string;
}

interface CreateArguments extends PortalArguments {
  readonly group?: number;
  readonly advertise?: string;
}

export interface PortalProtocol {
  "portal/list": { readonly arguments: Nothing; readonly reply: readonly PortalReport[] };
  "portal/create": { readonly arguments: CreateArguments; readonly reply: PortalReport };
  "portal/delete": { readonly arguments: PortalArguments; readonly reply: Nothing };
}

export const PORTAL_SCHEMAS: SchemasOf<PortalProtocol> = {
  "portal/list": { arguments: NOTHING, reply: list("all portals", PORTAL_REPORT) },
  "portal/create": {
    arguments: record<CreateArguments>({
      listen: text("ADDRESS[:PORT]; an IPv6 address in brackets"),
      group: optional(natural("the portal group that it is in (1)")),
      advertise: optional(text("ADDRESS[:PORT] that discovery tells in its place")),
    }),
    reply: PORTAL_REPORT,
  },
  "portal/delete": {
    arguments: record<PortalArguments>({ listen: text("ADDRESS:PORT, as it was asked for") }),
    reply: NOTHING,
  },
};
