import { SESSION_KEY_DEFAULTS, type SessionKey } from "../defaults.ts";
import { line } from "./lines.ts";

/** Where a target sends whoever wants to log in. */
export type ShownRedirect =
  | {
      readonly to: "address";
      readonly address: string;
      /** As it was typed. Undefined, as the reason, where nobody has set it. */
      readonly port: string | undefined;
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
