import { assert } from "../../util/assert.ts";
import { getFloat64LE, setFloat64LE } from "../../util/little-endian.ts";
import { THRESHOLDS_MAX } from "../limits.ts";
import { isVolumeName, isZero } from "./identity.ts";
import { checkLayout } from "./layout.ts";
import type { PoolSettings } from "./records.ts";

/** The pool's settings, apart from the name, which follows in a place of its own. */
const SettingsField = {
  overcommitMax: [0, 8],
  thresholds: [8, 8 * THRESHOLDS_MAX],
  thresholdCount: [72, 1],
  zero: [73, 7],
} as const;
export const SETTINGS_BYTES = 80;
checkLayout("settings", SettingsField, SETTINGS_BYTES);

/** Whether settings make sense: what a user gives is checked with this, and what a disk says. */
export function areSettings(settings: PoolSettings): boolean {
  const { name, overcommitMax, thresholds } = settings;
  if (!isVolumeName(name) || thresholds.length > THRESHOLDS_MAX) return false;
  if (!Number.isFinite(overcommitMax) || overcommitMax < 0) return false;
  return thresholds.every((share, index) => share > (thresholds[index - 1] ?? 0) && share <= 1);
}

/** Writes all but the name. */
export function setSettings(bytes: Uint8Array, offset: number, settings: PoolSettings): void {
  assert(areSettings(settings), "settings are checked before they are written");
  bytes.fill(0, offset, offset + SETTINGS_BYTES);
  setFloat64LE(bytes, offset + SettingsField.overcommitMax[0], settings.overcommitMax);
  bytes[offset + SettingsField.thresholdCount[0]] = settings.thresholds.length;
  for (const [index, share] of settings.thresholds.entries()) {
    setFloat64LE(bytes, offset + SettingsField.thresholds[0] + 8 * index, share);
  }
}

/** The settings at `offset` with this name, which was read from elsewhere; null where none can be. */
export function getSettings(bytes: Uint8Array, offset: number, name: string): PoolSettings | null {
  const count = bytes[offset + SettingsField.thresholdCount[0]] ?? 0;
  if (count > THRESHOLDS_MAX) return null;
  const unused = offset + SettingsField.thresholds[0] + 8 * count;
  if (!isZero(bytes, unused, offset + SettingsField.thresholdCount[0])) return null;
  if (!isZero(bytes, offset + SettingsField.zero[0], offset + SETTINGS_BYTES)) return null;
  const thresholds: number[] = [];
  for (let index = 0; index < count; index += 1) {
    thresholds.push(getFloat64LE(bytes, offset + SettingsField.thresholds[0] + 8 * index));
  }
  const overcommitMax = getFloat64LE(bytes, offset + SettingsField.overcommitMax[0]);
  const settings: PoolSettings = { name, overcommitMax, thresholds };
  return areSettings(settings) ? settings : null;
}
