import type { Segment } from "../format/records.ts";
import { USAGE_BOXES } from "./limits.ts";

/** What an extent is used for. "shared": data that more than one place refers to. */
export type ExtentUse = "free" | "data" | "shared" | "metadata";

/** Neighbouring extents of one segment, and how many of them are what. */
export interface UsageBox {
  readonly firstExtent: number;
  readonly extents: number;
  readonly data: number;
  readonly shared: number;
  readonly metadata: number;
}

export interface SegmentUsage {
  readonly segment: number;
  readonly device: number;
  readonly boxes: readonly UsageBox[];
}

/**
 * Draws the pool as boxes of equally many extents, at most `boxesMax` in all (and one more for each segment). `useOf` is asked for
 * each extent once.
 */
export function usageMap(
  segments: readonly Segment[],
  useOf: (phys: number) => ExtentUse,
  boxesMax: number = USAGE_BOXES,
): SegmentUsage[] {
  const total = segments.reduce((sum, { extents }) => sum + extents, 0);
  const perBox = Math.max(1, Math.ceil(total / boxesMax));
  let first = 0;
  return segments.map(({ device, extents }, segment) => {
    const boxes: UsageBox[] = [];
    for (let at = 0; at < extents; at += perBox) {
      boxes.push(boxOf(first + at, Math.min(perBox, extents - at), useOf));
    }
    first += extents;
    return { segment, device, boxes };
  });
}

function boxOf(firstExtent: number, extents: number, useOf: (phys: number) => ExtentUse): UsageBox {
  const counts = { free: 0, data: 0, shared: 0, metadata: 0 };
  for (let phys = firstExtent; phys < firstExtent + extents; phys += 1) counts[useOf(phys)] += 1;
  const { data, shared, metadata } = counts;
  return { firstExtent, extents, data, shared, metadata };
}

const SHADES = ".123456789#";

/** The boxes as text: "." is free, "#" full, a digit how many tenths are in use; "M" is mostly metadata. */
export function linesOfUsage(usage: readonly SegmentUsage[], columns: number = 64): string[] {
  const lines: string[] = [];
  for (const { segment, device, boxes } of usage) {
    for (let at = 0; at < boxes.length; at += columns) {
      const row = boxes
        .slice(at, at + columns)
        .map(letterOf)
        .join("");
      lines.push(at === 0 ? `${segment}/${device} ${row}` : `    ${row}`);
    }
  }
  return lines;
}

function letterOf({ extents, data, shared, metadata }: UsageBox): string {
  const used = data + shared + metadata;
  if (metadata > 0 && metadata * 2 >= used) return "M";
  const tenths = Math.ceil((used * (SHADES.length - 1)) / extents);
  return used === extents ? "#" : (SHADES[Math.min(tenths, SHADES.length - 2)] ?? "#");
}
