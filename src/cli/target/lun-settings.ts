import { type LunSettingArguments, OperationError } from "../../control/protocol.ts";
import { parseSize } from "../../util/units.ts";
import { UsageError } from "../exit-code.ts";

/*
 * How a LUN is described to initiators, as options of the commands that map it and that change it.
 */

/** As they are typed. */
export interface LunSettingOptions {
  readonly "read-only": boolean;
  readonly "block-size": string | undefined;
  readonly vendor: string | undefined;
  readonly product: string | undefined;
  readonly revision: string | undefined;
  readonly serial: string | undefined;
  readonly removable: boolean | undefined;
  readonly "write-cache": boolean | undefined;
  readonly "thin-provisioning": boolean | undefined;
  readonly "software-write-protect": boolean | undefined;
  readonly "descriptor-sense": boolean | undefined;
  readonly "rotation-rate": string | undefined;
  readonly "physical-block-exponent": string | undefined;
  readonly "lowest-aligned-lba": string | undefined;
  readonly "optimal-granularity": string | undefined;
  readonly "optimal-transfer": string | undefined;
}

export const LUN_SETTING_OPTIONS = {
  "read-only": { type: "boolean", default: false, describe: "Refuse writes" },
  "block-size": { type: "string", requiresArg: true, describe: "Of a logical block: 512 or 4096" },
  vendor: {
    type: "string",
    requiresArg: true,
    describe: "As initiators see it, 8 characters; '' for thinlun's own",
  },
  product: {
    type: "string",
    requiresArg: true,
    describe: "As initiators see it, 16 characters; '' for thinlun's own",
  },
  revision: {
    type: "string",
    requiresArg: true,
    describe: "As initiators see it, 4 characters; '' for thinlun's own",
  },
  serial: {
    type: "string",
    requiresArg: true,
    describe: "As initiators see it, 64 characters; '' for the volume's",
  },
  removable: { type: "boolean", describe: "People may take the medium away; --no-removable" },
  "write-cache": {
    type: "boolean",
    describe: "--no-write-cache: every write is on stable media before it is answered",
  },
  "thin-provisioning": {
    type: "boolean",
    describe: "--no-thin-provisioning: initiators do not give space back",
  },
  "software-write-protect": {
    type: "boolean",
    describe: "Refuse writes, and say that software does; --no-software-write-protect",
  },
  "descriptor-sense": {
    type: "boolean",
    describe: "Sense data in descriptor format; --no-descriptor-sense",
  },
  "rotation-rate": {
    type: "string",
    requiresArg: true,
    describe: "ssd, unknown, 1025 to 65534 per minute, or default: what the storage is",
  },
  "physical-block-exponent": {
    type: "string",
    requiresArg: true,
    describe: "A physical block has 2^N logical ones, 0 to 15; or default",
  },
  "lowest-aligned-lba": {
    type: "string",
    requiresArg: true,
    describe: "The first block that begins a physical one, 0 to 16383; or default",
  },
  "optimal-granularity": {
    type: "string",
    requiresArg: true,
    describe: "Transfers are best multiples of N blocks, 0 to 65535; or default",
  },
  "optimal-transfer": {
    type: "string",
    requiresArg: true,
    describe: "The best length of a transfer, in blocks; or default",
  },
} as const;

/** The options above, for the heading that they have in the help. */
export const LUN_SETTING_NAMES: readonly string[] = Object.keys(LUN_SETTING_OPTIONS);

/** What an option is called where the daemon speaks of it. */
const OPTION_OF: Readonly<Record<string, string>> = {
  readOnly: "read-only",
  blockSize: "block-size",
  blockBytes: "block-size",
  vendor: "vendor",
  product: "product",
  revision: "revision",
  serial: "serial",
  rotationRate: "rotation-rate",
  physicalBlockExponent: "physical-block-exponent",
  lowestAlignedLba: "lowest-aligned-lba",
  optimalGranularityBlocks: "optimal-granularity",
  optimalTransferBlocks: "optimal-transfer",
};

const DEFAULT_WORD = "default";
const ROTATION_WORDS: ReadonlyMap<string, number | null> = new Map([
  ["unknown", 0],
  ["ssd", 1],
  [DEFAULT_WORD, null],
]);

function blockBytes(text: string): number {
  try {
    return parseSize(text);
  } catch (error) {
    throw new UsageError(`--block-size: "${text}" is no size: write 512 or 4096`, { cause: error });
  }
}

function count(name: string, text: string): number | null {
  if (text === DEFAULT_WORD) return null;
  if (/^\d{1,10}$/.test(text)) return Number(text);
  throw new UsageError(`--${name}: "${text}" is no whole number, and not "${DEFAULT_WORD}"`);
}

function rotationRate(text: string): number | null {
  const meant = ROTATION_WORDS.get(text);
  if (meant !== undefined) return meant;
  const rate = /^\d{4,5}$/.test(text) ? Number(text) : 0;
  if (rate >= 1025 && rate <= 65_534) return rate;
  throw new UsageError(
    `--rotation-rate: "${text}" is none: write ssd, unknown, default, or 1025 to 65534 per minute`,
  );
}

function ownName(text: string): string | null {
  return text === "" ? null : text;
}

/** What the daemon is told of a LUN: what is not given stays as it is. */
export function lunSettingsOf(options: LunSettingOptions): LunSettingArguments {
  const { vendor, product, revision, serial, removable } = options;
  const given = {
    readOnly: options["read-only"] ? true : undefined,
    blockBytes: options["block-size"] === undefined ? undefined : blockBytes(options["block-size"]),
    vendor: vendor === undefined ? undefined : ownName(vendor),
    product: product === undefined ? undefined : ownName(product),
    revision: revision === undefined ? undefined : ownName(revision),
    serial: serial === undefined ? undefined : ownName(serial),
    removable,
    writeCache: options["write-cache"],
    thinProvisioning: options["thin-provisioning"],
    softwareWriteProtect: options["software-write-protect"],
    descriptorSense: options["descriptor-sense"],
    rotationRate:
      options["rotation-rate"] === undefined ? undefined : rotationRate(options["rotation-rate"]),
    physicalBlockExponent: counted(options, "physical-block-exponent"),
    lowestAlignedLba: counted(options, "lowest-aligned-lba"),
    optimalGranularityBlocks: counted(options, "optimal-granularity"),
    optimalTransferBlocks: counted(options, "optimal-transfer"),
  };
  const entries = Object.entries(given).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as LunSettingArguments;
}

type CountOption =
  "physical-block-exponent" | "lowest-aligned-lba" | "optimal-granularity" | "optimal-transfer";

function counted(options: LunSettingOptions, name: CountOption): number | null | undefined {
  const text = options[name];
  return text === undefined ? undefined : count(name, text);
}

/** Asks the daemon; where it complains of an argument, the option by which that was given is named. */
export async function namingOptions<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof OperationError) || error.kind !== "invalid") throw error;
    const message = error.message.replaceAll(
      /(^|; )(\w+)(?=:| must be)/g,
      (whole: string, before: string, argument: string) => {
        const option = Object.hasOwn(OPTION_OF, argument) ? OPTION_OF[argument] : undefined;
        return option === undefined ? whole : `${before}--${option}`;
      },
    );
    throw new OperationError(error.kind, message, error);
  }
}
