import type { CommandModule } from "yargs";
import { controlSocketPath } from "../control/protocol.ts";
import { ControlClient } from "./control-client.ts";
import { printText } from "./output.ts";
import { STATE_OPTION } from "./pool-access.ts";

interface MetricsArguments {
  readonly "state-dir": string | undefined;
}

/** `thinlun metrics`: what Prometheus is told. */
export const metricsCommand: CommandModule<object, MetricsArguments> = {
  command: "metrics",
  describe: "Print the daemon's metrics, as Prometheus reads them",
  builder: (yargs) =>
    yargs
      .options(STATE_OPTION)
      .example("$0 metrics", "")
      .example("$0 metrics | grep latency", "How long commands take"),
  handler: async (args) => {
    const client = new ControlClient(controlSocketPath(args["state-dir"] ?? null));
    try {
      printText(await client.text("/metrics"));
    } finally {
      await client.close();
    }
  },
};
