import {
  defaultScsiId,
  defaultScsiSn,
  designators,
  PRODUCT_DEFAULTS,
  REVISION_DEFAULT,
  serialNumberField,
  VENDOR_DEFAULT,
} from "../../../../src/control/tgt/show/identity.ts";
import { connect } from "../../../../src/initiator/connect.ts";
import { inquiry, vitalProductData } from "../../../../src/initiator/scsi.ts";
import { must } from "./play.ts";
import { RealTgtd } from "./real-tgtd.ts";
import { nameOf } from "./shown-examples.ts";

type MadeType = keyof typeof PRODUCT_DEFAULTS;

/** A unit, and what somebody has set of its identity. */
interface Example {
  readonly tid: number;
  readonly lun: number;
  readonly type?: MadeType;
  readonly scsiId?: string;
  readonly scsiSn?: string;
}

/** By SPC-4, table 144, and the word that tgtadm takes; a controller is there without being made. */
const TYPES: Readonly<Record<MadeType, { readonly code: number; readonly word: string }>> = {
  disk: { code: 0x00, word: "disk" },
  tape: { code: 0x01, word: "tape" },
  "cd/dvd": { code: 0x05, word: "cd" },
  changer: { code: 0x08, word: "changer" },
  controller: { code: 0x0c, word: "" },
  osd: { code: 0x11, word: "osd" },
};

const CINDER = "volume-83c2e877-feed-46be-8435-77884";

const EXAMPLES: readonly Example[] = [
  { tid: 1, lun: 0, type: "controller" },
  { tid: 1, lun: 1 },
  { tid: 1, lun: 2, type: "tape" },
  { tid: 1, lun: 3, type: "cd/dvd" },
  { tid: 1, lun: 4, type: "changer" },
  { tid: 1, lun: 5, type: "osd" },
  { tid: 1, lun: 6, scsiId: CINDER, scsiSn: CINDER },
  { tid: 1, lun: 7, scsiId: "f", scsiSn: "x" },
  { tid: 1, lun: 8, scsiId: "short ABC" },
  { tid: 1, lun: 9, scsiId: "0123456789abcdefABCDEFghij0123456" },
  { tid: 1, lun: 10, scsiId: "9abcdef0123456789abcdef012345678" },
  { tid: 1, lun: 11, scsiId: "fffffffffffffffffffffffffffffffffff/", scsiSn: "-._:" },
  { tid: 1, lun: 255 },
  { tid: 1, lun: 256 },
  { tid: 1, lun: 16_383 },
  { tid: 70_000, lun: 1 },
  { tid: 70_000, lun: 300 },
  { tid: 2 ** 28, lun: 1 },
  { tid: 2 ** 31 - 1, lun: 0, type: "controller" },
  { tid: 2 ** 31 - 1, lun: 16_383 },
];

function identityLines(
  { tid, lun }: Example,
  standard: readonly string[],
  pages: readonly Uint8Array[],
): string {
  const bytes = pages.map((page) => `  ${Buffer.from(page).toString("hex")}\n`);
  return `${tid} ${lun} ${standard.join(" ")}\n${bytes.join("")}`;
}

function page(type: MadeType, code: number, content: Uint8Array): Uint8Array {
  return Uint8Array.from([TYPES[type].code, code, 0, content.length, ...content]);
}

/** Vendor, product, revision, and the bytes of the pages 80h and 83h, by our derivations. */
export function identitiesText(): string {
  return EXAMPLES.map((example) => {
    const { tid, lun, type = "disk" } = example;
    const { scsiId = defaultScsiId(tid, lun), scsiSn = defaultScsiSn(tid, lun) } = example;
    return identityLines(
      example,
      [VENDOR_DEFAULT, PRODUCT_DEFAULTS[type], REVISION_DEFAULT],
      [
        page(type, 0x80, serialNumberField(scsiSn)),
        page(type, 0x83, designators(tid, lun, scsiId)),
      ],
    );
  }).join("");
}

async function make(tgtd: RealTgtd, example: Example): Promise<void> {
  const { tid, lun, type = "disk", scsiId, scsiSn } = example;
  const unit = `--mode logicalunit --tid ${tid} --lun ${lun}`;
  if (lun > 0) await must(tgtd, `--op new ${unit} -b disk -Y ${TYPES[type].word}`);
  for (const [key, value] of Object.entries({ scsi_id: scsiId, scsi_sn: scsiSn })) {
    if (value === undefined) continue;
    const { status } = await tgtd.tgtadm(
      ...`--op update ${unit} --params`.split(" "),
      `${key}=${value}`,
    );
    if (status !== 0) throw new Error(`tgtadm takes no ${key} ${value}`);
  }
}

/** The same as the real tgtd answers it to an initiator. */
export async function playIdentities(): Promise<string> {
  const tgtd = await RealTgtd.start();
  try {
    tgtd.file("disk", 2 ** 30);
    for (const tid of new Set(EXAMPLES.map((example) => example.tid))) {
      await must(tgtd, `--op new --mode target --tid ${tid} -T ${nameOf(tid)}`);
      await must(tgtd, `--op bind --mode target --tid ${tid} -I ALL`);
    }
    let text = "";
    for (const example of EXAMPLES) {
      await make(tgtd, example);
      const session = await connect({
        address: "127.0.0.1",
        port: tgtd.port,
        initiatorName: "iqn.2026-01.com.example:host",
        targetName: nameOf(example.tid),
      });
      const { vendor, product, revision } = await inquiry(session, example.lun);
      const pages = [
        await vitalProductData(session, example.lun, 0x80),
        await vitalProductData(session, example.lun, 0x83),
      ];
      text += identityLines(example, [vendor, product, revision], pages);
      await session.logout();
    }
    return text;
  } finally {
    await tgtd.dispose();
  }
}
