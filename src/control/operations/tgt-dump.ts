import type { DigestOffer, ParameterOffers } from "../../iscsi/parameters.ts";
import type {
  AccountConfig,
  AuthenticationConfig,
  LunConfig,
  TargetConfig,
  VolumeConfig,
} from "../config/config.ts";
import type {
  TgtAccountDocument,
  TgtDocument,
  TgtLunDocument,
  TgtSettingDocument,
  TgtTargetDocument,
} from "../schemas/tgt-apply.ts";
import { defaultScsiId, defaultScsiSn } from "../tgt/show/identity.ts";
import { spelledName } from "../tgt/spelled-name.ts";
import { daemonOf } from "./operated-daemon.ts";
import type { OperationRequest } from "./operation.ts";

/** All targets in the words of targets.conf, so that {@link applyTgt} makes the same of them; with their passwords if asked for. */
export async function dumpTgt({
  context,
  body,
}: OperationRequest<"tgt/dump">): Promise<TgtDocument> {
  const { targets, discovery, volumes, accounts } = daemonOf(context).plane.view.all;
  const bound = [...targets.map(({ authentication }) => authentication), discovery.authentication];
  const users = new Map<string, AccountConfig>(accounts.map((one) => [one.user, one]));
  for (const authentication of bound) {
    for (const account of accountsOf(authentication)) users.set(account.user, account);
  }
  return Promise.resolve({
    targets: targets.map((target) => targetDocument(target, volumes)),
    accounts: [...users.values()].map((account): TgtAccountDocument => {
      const password = body.withSecrets ? inBytes(account.secret.reveal()) : null;
      return { user: inBytes(account.user), password };
    }),
    discovery:
      discovery.authentication === null
        ? null
        : {
            incoming: discovery.authentication.accounts.map(({ user }) => inBytes(user)),
            outgoing: nullable(discovery.authentication.mutual?.user),
          },
    system: [],
  });
}

/** Text as tgt's commands have it: one character a byte. */
function inBytes(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}

function nullable(text: string | undefined): string | null {
  return text === undefined ? null : inBytes(text);
}

function accountsOf(authentication: AuthenticationConfig | null): readonly AccountConfig[] {
  if (authentication === null) return [];
  const { accounts, mutual } = authentication;
  return mutual === null ? accounts : [...accounts, mutual];
}

/** What tgt shows of a digest is what it would choose, which is less than what it was told. */
const DIGEST_WORDS: Readonly<Record<DigestOffer, string>> = {
  off: "None",
  allowed: "None,CRC32C",
  preferred: "CRC32C,None",
  required: "CRC32C",
};

function digestWords(key: string, offers: ParameterOffers): string | null {
  if (key === "HeaderDigest") return DIGEST_WORDS[offers.headerDigest];
  return key === "DataDigest" ? DIGEST_WORDS[offers.dataDigest] : null;
}

function targetDocument(
  target: TargetConfig,
  volumes: ReadonlyMap<string, VolumeConfig>,
): TgtTargetDocument {
  const { tid, authentication, access, state, tgt, luns, offers } = target;
  const isOpen = access.addresses.length === 0 && access.withoutAddresses === "allow";
  const settings = [...(tgt?.settings ?? [])]
    // Others stand there that are no parameters: spellings.
    .filter(([key]) => /^\w+$/.test(key))
    .map(([key, value]): [string, string] => [key, digestWords(key, offers) ?? value]);
  return {
    name: spelledName(target),
    tid,
    incoming: authentication?.accounts.map(({ user }) => inBytes(user)) ?? [],
    outgoing: nullable(authentication?.mutual?.user),
    addresses: isOpen ? ["ALL"] : access.addresses.map(inBytes),
    initiatorNames: access.initiatorNames.map(inBytes),
    settings: [
      ...settings.map(([key, value]) => ({ name: key, value: inBytes(value) })),
      ...(state === "offline" ? [{ name: "state", value: "offline" }] : []),
      // A disk of others than tgt, which has its controller there.
      ...luns.filter(({ lun }) => lun === 0).map((lun) => zeroSetting(lun, volumes)),
    ],
    luns: luns
      .filter(({ lun }) => lun > 0)
      .map((lun) => lunDocument(lun, tid ?? 0, volumes.get(lun.volume))),
  };
}

function zeroSetting(
  lun: LunConfig,
  volumes: ReadonlyMap<string, VolumeConfig>,
): TgtSettingDocument {
  return {
    name: "lun 0",
    value: storeOf(lun, volumes.get(lun.volume)).path ?? inBytes(lun.volume),
  };
}

/** What a unit is made of, as `tgtadm --op new --mode logicalunit` has it. */
interface Store {
  readonly path: string | null;
  readonly bsType: string | null;
  readonly bsOpenFlags: string | null;
}

function storeOf({ tgt, volume: key }: LunConfig, volume: VolumeConfig | undefined): Store {
  if (tgt !== null) {
    return {
      path: tgt.storePath === "" ? null : inBytes(tgt.storePath),
      bsType: tgt.storeType === "rdwr" ? null : tgt.storeType,
      bsOpenFlags: tgt.storeFlags === "" ? null : tgt.storeFlags,
    };
  }
  switch (volume?.driver) {
    case "raw":
      return {
        path: inBytes(volume.path),
        bsType: null,
        bsOpenFlags: volume.direct ? "direct" : null,
      };
    case "thin":
      return { path: `${volume.pool}/${volume.name ?? key}`, bsType: "thin", bsOpenFlags: null };
    case "memory":
    case "null":
    case undefined:
      return { path: null, bsType: null, bsOpenFlags: null };
  }
}

/** The Caching mode page without WCE, as tgt-admin sets it. */
const WRITE_CACHE_OFF =
  "mode_page=8:0:18:0x10:0:0xff:0xff:0:0:0xff:0xff:0xff:0xff:0x80:0x14:0:0:0:0:0:0";

/** The Control mode page with SWP. */
const WRITE_PROTECTED = "mode_page=10:0:10:2:0:8:0:0:0:0:0:2:0";

function lunDocument(
  lun: LunConfig,
  tid: number,
  volume: VolumeConfig | undefined,
): TgtLunDocument {
  const { settings, identity, tgt, readOnly } = lun;
  const store = storeOf(lun, volume);
  const isSync = store.bsOpenFlags?.includes("sync") === true;
  const isThin = store.bsType === "thin";
  const hasMedium = store.path !== null;
  const params: string[] = [];
  const say = (key: string, value: string | number | undefined, usual: string | number): void => {
    if (value !== undefined && value !== usual) params.push(`${key}=${value}`);
  };
  const flag = (key: string, value: boolean | undefined, usual: boolean): void => {
    if (value !== undefined && value !== usual) params.push(`${key}=${value ? 1 : 0}`);
  };
  if (settings.writeCache === false && !isSync) params.push(WRITE_CACHE_OFF);
  if (settings.softwareWriteProtect === true) params.push(WRITE_PROTECTED);
  say("scsi_id", tgt?.scsiId ?? identity.serial, defaultScsiId(Math.max(tid, 1), lun.lun));
  flag("sense_format", settings.descriptorSense, false);
  flag("removable", settings.removable, !hasMedium);
  flag("readonly", readOnly, false);
  say("vendor_id", identity.vendor, "");
  say("product_id", identity.product, "");
  say("product_rev", identity.revision, "");
  say("scsi_sn", tgt?.scsiSn ?? identity.serial, defaultScsiSn(Math.max(tid, 1), lun.lun));
  say("lbppbe", settings.physicalBlockExponent ?? undefined, 3);
  say("la_lba", settings.lowestAlignedLba, 0);
  say("optimal_xfer_gran", settings.optimalGranularityBlocks ?? undefined, 0);
  say("optimal_xfer_len", settings.optimalTransferBlocks ?? undefined, 0);
  say("rotation_rate", settings.rotationRate ?? undefined, 0);
  flag("thin_provisioning", settings.thinProvisioning, isThin);
  flag("online", settings.online, hasMedium);
  return {
    lun: lun.lun,
    ...store,
    deviceType: null,
    bsOptions: null,
    blockSize: lun.blockBytes === 512 ? null : `${lun.blockBytes}`,
    params,
  };
}
