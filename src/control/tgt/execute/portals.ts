import type { PortalConfig } from "../../config/config.ts";
import type { TgtPortal } from "../tgt-command-portal.ts";
import type { ShownPortal } from "../show/shown.ts";
import { TGTADM, type TgtDaemon } from "./tgt-daemon.ts";
import { TgtRefused } from "./tgt-refused.ts";

const ALL_ADDRESSES = "0.0.0.0";

/** tgt knows portal group 1 only. */
const GROUP = 1;

function portalConfig({ address, port }: TgtPortal): PortalConfig {
  const listen = { address: address === "" ? ALL_ADDRESSES : address, port };
  return { listen, group: GROUP, advertise: null };
}

/** All of them, or none. Refused: invalid-request where one is there already or cannot be listened on. */
export async function makePortals(daemon: TgtDaemon, portals: readonly TgtPortal[]): Promise<void> {
  await daemon.plane.change(TGTADM, "tgt portal new", ({ inventory }) => {
    return { ...inventory, portals: [...inventory.portals, ...portals.map(portalConfig)] };
  });
}

/**
 * Those that were made by a command go for good; one that the daemon was started with comes back with its next start. Refused:
 * invalid-request where one is not there.
 */
export async function deletePortals(
  daemon: TgtDaemon,
  portals: readonly TgtPortal[],
): Promise<void> {
  for (const portal of portals) await deletePortal(daemon, portal);
}

function isAt({ listen }: PortalConfig, { address, port }: TgtPortal): boolean {
  return listen.port === port && listen.address === (address === "" ? ALL_ADDRESSES : address);
}

async function deletePortal(daemon: TgtDaemon, portal: TgtPortal): Promise<void> {
  const { plane } = daemon;
  const given = openAt(daemon, portal);
  if (given === undefined) throw new TgtRefused("invalid-request", "there is no such portal");
  if (plane.view.inventory.portals.includes(given)) {
    await plane.change(TGTADM, "tgt portal delete", ({ inventory }) => {
      const portals = inventory.portals.filter((one) => one !== given);
      return { ...inventory, portals };
    });
    return;
  }
  await plane.exclusively(async () => {
    await daemon.portals.close(given);
    const { config } = plane.view;
    plane.adopt({ ...config, portals: config.portals.filter((one) => one !== given) });
  }, "tgt portal delete");
}

/** A portal as it was asked for, by that or by what its name and its port have turned out to be. */
function openAt({ portals }: TgtDaemon, asked: TgtPortal): PortalConfig | undefined {
  return portals.portals.find(
    ({ config, endpoint }) => isAt(config, asked) || isAt({ ...config, listen: endpoint }, asked),
  )?.config;
}

/** In the order in which they were made. */
export function shownPortals({ portals }: TgtDaemon): readonly ShownPortal[] {
  return portals.portals.map(({ config, endpoint }) => {
    return { ...endpoint, groupTag: config.group };
  });
}
