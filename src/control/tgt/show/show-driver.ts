import { line } from "./lines.ts";
import type { ShownDriver } from "./shown.ts";

/** The drivers without their targets, as `--mode sys --op show` tells of them. */
export function driverLines(drivers: readonly Pick<ShownDriver, "name" | "state">[]): string {
  return line(0, "LLDs:") + drivers.map(({ name, state }) => line(1, `${name}: ${state}`)).join("");
}

/** What `--mode lld --op show` prints: the drivers, each with its targets. */
export function showDrivers(drivers: readonly ShownDriver[]): string {
  const texts = drivers.map(
    ({ name, state, targets }) =>
      line(1, `${name}: ${state}`) +
      targets.map((target) => line(2, `Target ${target.tid}: ${target.name}`)).join(""),
  );
  return line(0, "LLDs:") + texts.join("");
}
