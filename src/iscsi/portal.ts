/** Where a server listens, and how initiators are told to reach it. */
export interface PortalAddress {
  /** An IPv4 or IPv6 address; `0.0.0.0` or `::` for all. */
  readonly address: string;
  readonly port: number;
  /** The portal group tag, 1 to 65535 (RFC 7143 4.4.1). */
  readonly group: number;
  /** The address to show in discovery where it differs (NAT); null for the one that it listens on. */
  readonly advertise: { readonly address: string; readonly port: number } | null;
}
