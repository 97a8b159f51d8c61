import { ISCSI_NAME_BYTES_MAX } from "./limits.ts";

/**
 * iSCSI names (RFC 7143 4.2.7, RFC 3722). Two names are the same when their normal forms are the same bytes:
 * normalization form KC and lower case, which is what the stringprep profile does to the characters it allows.
 */
export type IscsiNameResult =
  { readonly ok: true; readonly name: string } | { readonly ok: false; readonly message: string };

/** `iqn.yyyy-mm.` and a reversed domain name, then anything after a colon. */
const IQN = /^iqn\.[0-9]{4}-(?:0[1-9]|1[0-2])\.[^:]+(?::.*)?$/s;
/** An EUI-64 in 16 hexadecimal digits. */
const EUI = /^eui\.[0-9a-f]{16}$/;
/** A network address authority identifier of 64 or 128 bits. */
const NAA = /^naa\.(?:[0-9a-f]{16}|[0-9a-f]{32})$/;
/**
 * RFC 3722 leaves of ASCII only letters, digits, dot, dash and colon; beyond ASCII it prohibits spaces, controls and
 * symbols. The underscore is tolerated: hosts with one in their name have put it into their initiator's for decades.
 */
const NOT_OF_NAMES = /[^\p{L}\p{M}\p{N}.:_-]/u;

function refused(message: string): IscsiNameResult {
  return { ok: false, message };
}

/** The form in which names are compared. */
export function normalizeIscsiName(name: string): string {
  return name.normalize("NFKC").toLowerCase();
}

/**
 * Checks the name of a peer and returns its normal form. The type prefix is not looked at: initiators with names of no
 * type exist and work with every target, and refusing them protects nothing.
 */
export function parsePeerName(text: string): IscsiNameResult {
  // Length comes before normalization, whose cost is in proportion to it.
  if (text.length > ISCSI_NAME_BYTES_MAX) {
    return refused(`an iSCSI name has at most ${ISCSI_NAME_BYTES_MAX} bytes`);
  }
  const name = normalizeIscsiName(text);
  if (Buffer.byteLength(name) > ISCSI_NAME_BYTES_MAX) {
    return refused(`an iSCSI name has at most ${ISCSI_NAME_BYTES_MAX} bytes`);
  }
  if (name === "" || NOT_OF_NAMES.test(name)) {
    return refused("an iSCSI name has letters, digits, dots, dashes and colons only");
  }
  return { ok: true, name };
}

/** Checks a name that is given here, as that of a target, by all rules of its type, and returns its normal form. */
export function parseIscsiName(text: string): IscsiNameResult {
  const result = parsePeerName(text);
  if (!result.ok) return result;
  const { name } = result;
  if (name.startsWith("eui.")) {
    return EUI.test(name) ? result : refused("an eui. name has 16 hexadecimal digits");
  }
  if (name.startsWith("naa.")) {
    return NAA.test(name) ? result : refused("an naa. name has 16 or 32 hexadecimal digits");
  }
  if (IQN.test(name)) return result;
  return refused("an iSCSI name is iqn.yyyy-mm.domain[:text], eui.number or naa.number");
}
