import { randomBytes } from "node:crypto";
import type { CommandModule } from "yargs";
import { connect } from "../initiator/connect.ts";
import { InitiatorError } from "../initiator/initiator-error.ts";
import { parseIscsiUrl, type IscsiUrl } from "../initiator/iscsi-url.ts";
import { inquiry, readCapacity16, type Capacity, type Inquiry } from "../initiator/scsi.ts";
import type { InitiatorSession } from "../initiator/session.ts";
import { verifyRange, type VerifyRange } from "../initiator/verify-range.ts";
import { formatSize, parseSize } from "../util/units.ts";
import {
  credentialsOf,
  INITIATOR_OPTIONS,
  initiatorNameOf,
  withUsageErrors,
  type InitiatorOptions,
} from "./initiator-options.ts";
import { ProgressLine } from "./progress-line.ts";

interface VerifyArguments extends InitiatorOptions {
  readonly url: string;
  readonly "yes-overwrite": boolean;
  readonly "scratch-offset": string | undefined;
  readonly "scratch-size": string | undefined;
  readonly json: boolean;
}

const SCRATCH_BYTES_DEFAULT = 16 * 1024 * 1024;

/** The blocks that the options name: by default the last 16 MiB, where few things keep their first structures. */
export function scratchBlocks(
  capacity: Pick<Capacity, "blocks" | "blockBytes">,
  offset: string | undefined,
  size: string | undefined,
): { readonly startBlock: number; readonly blocks: number } {
  const { blocks: capacityBlocks, blockBytes } = capacity;
  const capacityBytes = capacityBlocks * blockBytes;
  const wanted = size === undefined ? SCRATCH_BYTES_DEFAULT : parseSize(size);
  const sizeBytes = size === undefined ? Math.min(wanted, capacityBytes) : wanted;
  const offsetBytes =
    offset === undefined ? Math.max(0, capacityBytes - sizeBytes) : parseSize(offset);
  if (sizeBytes === 0 || offsetBytes + sizeBytes > capacityBytes) {
    const disk = formatSize(capacityBytes);
    throw new InitiatorError("invalid", `the scratch range is not within the disk (${disk})`);
  }
  if (offsetBytes % blockBytes !== 0 || sizeBytes % blockBytes !== 0) {
    throw new InitiatorError("invalid", `the scratch range is not whole blocks of ${blockBytes}`);
  }
  return { startBlock: offsetBytes / blockBytes, blocks: sizeBytes / blockBytes };
}

/** Names exactly what would be overwritten. */
export function overwriteText(url: IscsiUrl, disk: Inquiry, range: VerifyRange): string {
  const start = range.startBlock * range.blockBytes;
  const sizeBytes = range.blocks * range.blockBytes;
  const unit = `LUN ${url.lun} of ${url.targetName} (${disk.vendor} ${disk.product})`;
  return `bytes ${start} to ${start + sizeBytes - 1} (${formatSize(sizeBytes)}) of ${unit}`;
}

async function verifySession(
  session: InitiatorSession,
  url: IscsiUrl,
  args: VerifyArguments,
): Promise<void> {
  const disk = await inquiry(session, url.lun);
  const capacity = await readCapacity16(session, url.lun);
  const scratch = scratchBlocks(capacity, args["scratch-offset"], args["scratch-size"]);
  const seed = randomBytes(4).readUInt32BE(0);
  const range = { lun: url.lun, blockBytes: capacity.blockBytes, ...scratch, seed };
  const named = args["scratch-offset"] !== undefined && args["scratch-size"] !== undefined;
  if (!args["yes-overwrite"] && !named) {
    throw new InitiatorError(
      "invalid",
      `this would overwrite, and then restore, ${overwriteText(url, disk, range)}. ` +
        "Nobody else may use that range meanwhile. " +
        "Give --yes-overwrite, or name a range with --scratch-offset and --scratch-size.",
    );
  }
  const totalBytes = range.blocks * range.blockBytes;
  const line = new ProgressLine({ inBytes: true });
  let interrupted = false;
  const interrupt = (): void => {
    interrupted = true;
  };
  process.once("SIGINT", interrupt);
  try {
    const result = await verifyRange(session, range, {
      advanced: (doneBytes) => line.advance("Verifying", doneBytes, totalBytes),
      stopped: () => interrupted,
    });
    report(result.checkedBytes, result.stoppedEarly, args.json);
  } finally {
    process.off("SIGINT", interrupt);
    line.end();
  }
}

function report(checkedBytes: number, stoppedEarly: boolean, json: boolean): void {
  if (json) {
    process.stdout.write(`${JSON.stringify({ checkedBytes, stoppedEarly })}\n`);
  } else {
    const early = stoppedEarly ? "Stopped early. " : "";
    const size = formatSize(checkedBytes);
    process.stdout.write(`${early}${size} verified; the old content is back in place.\n`);
  }
  if (stoppedEarly) process.exitCode = 1;
}

async function run(args: VerifyArguments): Promise<void> {
  const url = parseIscsiUrl(args.url);
  const chap = credentialsOf(args, url.user, url.secret);
  const session = await connect({
    ...url.portal,
    initiatorName: initiatorNameOf(args),
    targetName: url.targetName,
    ...(chap === undefined ? {} : { chap }),
  });
  try {
    await verifySession(session, url, args);
    await session.logout();
  } finally {
    session.destroy();
  }
}

/** `thinlun verify`: writes, reads back and restores a range of a logical unit, with consent only. */
export const verifyCommand: CommandModule<object, VerifyArguments> = {
  command: "verify <url>",
  describe: "Check a disk by writing to a scratch range, which is restored",
  builder: (yargs) =>
    yargs
      .positional("url", {
        type: "string",
        demandOption: true,
        describe: "iscsi://[user@]host[:port]/target-name/lun",
      })
      .options(INITIATOR_OPTIONS)
      .option("yes-overwrite", {
        type: "boolean",
        default: false,
        describe: "Consent to overwrite the range for a moment",
      })
      .option("scratch-offset", {
        type: "string",
        requiresArg: true,
        describe: "Where the range begins (default: its size before the end of the disk)",
      })
      .option("scratch-size", {
        type: "string",
        requiresArg: true,
        describe: "How long it is (default: 16MiB)",
      })
      .option("json", { type: "boolean", default: false, describe: "Print JSON" })
      .example(
        "$0 verify iscsi://127.0.0.1/iqn.2026-11.net.thinlun:demo/0 --yes-overwrite",
        "The last 16 MiB of the demo disk",
      ),
  handler: (args) => withUsageErrors(() => run(args)),
};
