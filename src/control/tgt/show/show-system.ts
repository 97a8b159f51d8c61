import { line } from "./lines.ts";
import { accountLines } from "./show-account.ts";
import { driverLines } from "./show-driver.ts";
import type { ShownAccounts, ShownIsns, ShownStoreType, ShownSystem } from "./shown.ts";

function storeTypeLine({ name, flags }: ShownStoreType): string {
  return line(1, flags === "" ? name : `${name} (bsoflags ${flags})`);
}

/** The empty line is tgt's, and so is the silence where there is only an outgoing account. */
function discoveryAccountLines(accounts: ShownAccounts): string {
  if (accounts.incoming.length === 0) return "";
  return `${line(1, "Account information:")}\n${accountLines(accounts, 1)}`;
}

function onOrOff(flag: boolean): string {
  return flag ? "On" : "Off";
}

function isnsLines(isns: ShownIsns): string {
  return (
    line(0, "iSNS:") +
    line(1, `iSNS=${onOrOff(isns.enabled)}`) +
    line(1, `iSNSServerIP=${isns.serverAddress}`) +
    line(1, `iSNSServerPort=${isns.serverPort}`) +
    line(1, `iSNSAccessControl=${onOrOff(isns.accessControl)}`)
  );
}

/** What `--mode sys --op show` prints. */
export function showSystem(system: ShownSystem): string {
  return (
    line(0, "System:") +
    line(1, `State: ${system.state}`) +
    line(1, `debug: ${system.debug ? "on" : "off"}`) +
    driverLines(system.drivers) +
    line(0, "Backing stores:") +
    system.storeTypes.map(storeTypeLine).join("") +
    line(0, "Device types:") +
    system.deviceTypes.map((type) => line(1, type)).join("") +
    discoveryAccountLines(system.discoveryAccounts) +
    isnsLines(system.isns)
  );
}
