import type { CommandModule } from "yargs";
import { addressText, parseAddress } from "../initiator/address.ts";
import { discover, type DiscoveredTarget } from "../initiator/discovery.ts";
import {
  credentialsOf,
  INITIATOR_OPTIONS,
  initiatorNameOf,
  withUsageErrors,
  type InitiatorOptions,
} from "./initiator-options.ts";
import { print } from "./output.ts";

interface DiscoverArguments extends InitiatorOptions {
  readonly portal: string;
  readonly json: boolean;
}

/** One line for each way to a target, as iscsiadm prints them. */
export function discoveryText(targets: readonly DiscoveredTarget[]): string {
  if (targets.length === 0) return "No targets for this initiator.\n";
  const lines = targets.flatMap(({ name, portals }) =>
    portals.length === 0
      ? [`${name}\n`]
      : portals.map((portal) => `${addressText(portal)},${portal.portalGroupTag} ${name}\n`),
  );
  return lines.join("");
}

async function run(args: DiscoverArguments): Promise<void> {
  const { address, port } = parseAddress(args.portal);
  const chap = credentialsOf(args);
  const targets = await discover({
    address,
    port,
    initiatorName: initiatorNameOf(args),
    ...(chap === undefined ? {} : { chap }),
  });
  print(targets, args.json, () => discoveryText(targets));
}

/** `thinlun discover`: asks a portal, of any make, for its targets. */
export const discoverCommand: CommandModule<object, DiscoverArguments> = {
  command: "discover <portal>",
  describe: "List the targets behind a portal",
  builder: (yargs) =>
    yargs
      .positional("portal", {
        type: "string",
        demandOption: true,
        describe: "ADDRESS[:PORT]; an IPv6 address in brackets",
      })
      .options(INITIATOR_OPTIONS)
      .option("json", { type: "boolean", default: false, describe: "Print JSON" })
      .example("$0 discover 127.0.0.1", "Targets of this host, port 3260")
      .example("$0 discover [2001:db8::7]:3260 --user alice --password-file secret", "With CHAP"),
  handler: (args) => withUsageErrors(() => run(args)),
};
