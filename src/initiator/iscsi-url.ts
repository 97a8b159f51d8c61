import { parseAddress, type PortalAddress } from "./address.ts";
import { InitiatorError } from "./initiator-error.ts";

/** `iscsi://[user[%secret]@]host[:port]/target-name/lun`, the form that libiscsi and QEMU know. */
export interface IscsiUrl {
  readonly portal: PortalAddress;
  readonly user: string | undefined;
  readonly secret: string | undefined;
  readonly targetName: string;
  readonly lun: number;
}

const URL_FORM = /^iscsi:\/\/(?:([^@/%]+)(?:%([^@/]*))?@)?([^/@]+)\/([^/]+)\/(\d{1,5})$/;
const LUN_MAX = 0x3fff;

/** Throws `InitiatorError` of kind `invalid`; the message does not repeat the secret. */
export function parseIscsiUrl(text: string): IscsiUrl {
  const [, user, secret, host = "", targetName = "", lun = ""] = URL_FORM.exec(text) ?? [];
  if (targetName === "" || Number(lun) > LUN_MAX) {
    throw new InitiatorError(
      "invalid",
      "not an iSCSI URL; write iscsi://host[:port]/target-name/lun",
    );
  }
  return { portal: parseAddress(host), user, secret, targetName, lun: Number(lun) };
}
