import { ConfigGeneralError, describeRemark } from "../config-general-error.ts";
import { toByteString } from "../byte-words.ts";
import { readTargetsConf, type TargetsConf } from "../targets-conf.ts";
import { applyDelete, applyExecute, applyUpdate } from "./apply.ts";
import { inBytes } from "./byte-conf.ts";
import { DaemonState } from "./daemon-state.ts";
import { clientOf } from "./client-of.ts";
import { dump } from "./dump.ts";
import { execute } from "./execute.ts";
import { ADMIN_HELP, valueHelp } from "./help.ts";
import { type AdminOptions, parseAdminOptions } from "./options.ts";
import { removeTarget } from "./remove-target.ts";
import { AdminEnd, plain, Runner } from "./runner.ts";
import { setState } from "./set-state.ts";
import { update } from "./update.ts";
import type { AdminWorld } from "./world.ts";

const DEFAULT_CONF = "/etc/tgt/targets.conf";
const FAILED = 1;

/** ENOENT: how the script ends where there is no configuration. */
const NO_CONF_STATUS = 2;

/** Runs one command line of tgt-admin. Returns the exit status. */
export async function tgtAdmin(words: readonly string[], world: AdminWorld): Promise<number> {
  const options = parseAdminOptions(words);
  for (const complaint of options.complaints) world.complain(`${complaint}\n`);
  if (options.flags.has("help") || (words[0] ?? "") === "") {
    world.print(ADMIN_HELP);
    return 0;
  }
  try {
    await act(options, world);
    return 0;
  } catch (error) {
    if (error instanceof AdminEnd) return error.status;
    if (!(error instanceof ConfigGeneralError)) throw error;
    for (const remark of error.remarks) {
      world.complain(`tgt-admin: ${toByteString(describeRemark(remark))}\n`);
    }
    return FAILED;
  }
}

/** The first of what is asked for, in tgt-admin's order. */
async function act(options: AdminOptions, world: AdminWorld): Promise<void> {
  const { flags, values } = options;
  const remove = values.get("delete");
  const change = values.get("update");
  if (flags.has("show")) {
    await runnerFor(options, world, null).execute(plain("--op", "show", "--mode", "target"));
  } else if (flags.has("execute")) {
    await runExecute(options, world);
  } else if (remove !== undefined) {
    await runDelete(remove, options, world);
  } else if (change !== undefined) {
    await runUpdate(change, options, world);
  } else if (flags.has("dump")) {
    await dump(runnerFor(options, world, null), world, flags.has("withSecrets"));
  } else if (values.has("offline") || values.has("ready")) {
    await runState(options, world);
  } else {
    world.print("No action specified.\n");
  }
}

function runnerFor(
  { flags, values }: AdminOptions,
  world: AdminWorld,
  port: number | null,
): Runner {
  return new Runner(world, values.get("controlPort") ?? `${port ?? 0}`, {
    pretend: flags.has("pretend"),
    verbose: flags.has("verbose"),
    ignoreErrors: flags.has("ignoreErrors"),
  });
}

/** Reads the configuration, and finds the daemon that it is for. */
function readConf(options: AdminOptions, world: AdminWorld): { conf: TargetsConf; runner: Runner } {
  const named = options.values.get("conf");
  const path = Buffer.from(named ?? DEFAULT_CONF, "latin1").toString("utf8");
  if (world.files.kindOf(path) === "none") {
    world.complain(`Config file ${named ?? DEFAULT_CONF} not found. Exiting...\n`);
    throw new AdminEnd(NO_CONF_STATUS);
  }
  const { conf, warnings } = readTargetsConf(path, world.files);
  for (const remark of warnings) {
    world.complain(`tgt-admin: warning: ${toByteString(describeRemark(remark))}\n`);
  }
  if (conf.controlPort !== null && options.values.has("controlPort")) {
    world.print("Multiple control-port definitions are not allowed!\n");
    world.print("Check your config file for errors.\n");
    throw new AdminEnd(FAILED);
  }
  const runner = runnerFor(options, world, conf.controlPort);
  if (named !== undefined) runner.note(`# Using ${named} as configuration file\n`);
  return { conf: inBytes(conf), runner };
}

async function runExecute(options: AdminOptions, world: AdminWorld): Promise<void> {
  const { conf, runner } = readConf(options, world);
  const context = { conf, runner, world, isForced: options.flags.has("force") };
  const client = runner.isPretending ? null : await clientOf(runner, world);
  if (client === null) {
    await execute(context);
    return;
  }
  try {
    await applyExecute(context, client);
  } finally {
    await client.close();
  }
}

async function runUpdate(which: string, options: AdminOptions, world: AdminWorld): Promise<void> {
  if (which === "help") {
    world.print(valueHelp("update"));
    return;
  }
  const { conf, runner } = readConf(options, world);
  const context = { conf, runner, world, isForced: options.flags.has("force") };
  const client = runner.isPretending ? null : await clientOf(runner, world);
  if (client === null) {
    await update(which, context);
    return;
  }
  try {
    await applyUpdate(which, context, client);
  } finally {
    await client.close();
  }
}

async function runDelete(which: string, options: AdminOptions, world: AdminWorld): Promise<void> {
  if (which === "help") {
    world.print(valueHelp("delete"));
    return;
  }
  const runner = runnerFor(options, world, null);
  const state = await DaemonState.read(runner);
  const isForced = options.flags.has("force");
  const tid = /^tid=(.+)/.exec(which)?.[1];
  const one = tid === undefined ? which : state.withTid(tid)?.name;
  if (one === undefined) {
    runner.note(`# Target with tid ${tid} does not exist!`);
    return;
  }
  const names = which === "ALL" ? [...state.targets.keys()] : [one];
  const client = runner.isPretending ? null : await clientOf(runner, world);
  if (client === null || !names.every((name) => state.targets.has(name))) {
    const removal = { runner, state, isForced, purpose: "deleted" } as const;
    for (const name of names) await removeTarget(name, removal);
    await client?.close();
    return;
  }
  try {
    await applyDelete(names, { runner, world, isForced }, client);
  } finally {
    await client.close();
  }
}

async function runState(options: AdminOptions, world: AdminWorld): Promise<void> {
  const { values } = options;
  const [offline, ready] = [values.get("offline"), values.get("ready")];
  if (offline !== undefined && ready !== undefined) {
    world.print("Invalid value (you can't use both ready and offline)!\n");
    throw new AdminEnd(FAILED);
  }
  const wanted = offline === undefined ? "ready" : "offline";
  const which = offline ?? ready ?? "";
  if (which === "help") world.print(valueHelp(wanted));
  else await setState(wanted, which, runnerFor(options, world, null), world);
}
