/**
 * Sizes as people write them: "1GiB", "512 KiB", "20GB", "4096". Binary and SI units are different things, and both
 * are accepted by their own names only: a bare "G" means either to somebody, so it is refused.
 */
const FACTORS: Readonly<Record<string, number>> = {
  B: 1,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
  PiB: 2 ** 50,
  kB: 1e3,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  PB: 1e15,
};

/** The units by lower case, for what was typed with another case. */
const FACTORS_BY_LOWER_CASE = new Map(
  Object.entries(FACTORS).map(([unit, factor]) => [unit.toLowerCase(), factor]),
);

const SIZE = /^(\d{1,16})(?:\.(\d{1,9}))?\s*([A-Za-z]*)$/;

const AMBIGUOUS = /^[KMGTP]$/i;

/** A text that is not a size; the message says why and what would be one. */
export class SizeError extends Error {
  override readonly name = "SizeError";
}

/**
 * Reads a size in bytes. The unit's case does not matter; a fraction is fine where whole bytes come out ("1.5GiB").
 *
 * @throws {SizeError} not a size, not whole bytes, or past 2^53
 */
export function parseSize(text: string): number {
  const match = SIZE.exec(text.trim());
  if (match === null) {
    throw new SizeError(
      `"${text}" is not a size; write a number and a unit, such as 10GiB or 512MB`,
    );
  }
  const [, whole = "", fraction = "", unit = ""] = match;
  const factor = unit === "" ? 1 : FACTORS_BY_LOWER_CASE.get(unit.toLowerCase());
  if (factor === undefined) {
    const letter = unit.toUpperCase();
    throw new SizeError(
      AMBIGUOUS.test(unit)
        ? `"${text}" is ambiguous; write ${letter}iB (powers of 1024) or ${letter}B (powers of 1000)`
        : `"${text}" has no unit that is known; there are B, KiB, MiB, GiB, TiB, PiB, kB, MB, GB, TB, PB`,
    );
  }
  const bytes = Number(whole) * factor + (fraction === "" ? 0 : Number(`0.${fraction}`) * factor);
  if (!Number.isSafeInteger(bytes)) {
    throw new SizeError(
      bytes > Number.MAX_SAFE_INTEGER
        ? `"${text}" is too large; sizes end at 8 PiB`
        : `"${text}" is not a whole number of bytes`,
    );
  }
  return bytes;
}

const BINARY_UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"] as const;

/** Writes a size with a binary unit: exact where a few digits do ("1.5 GiB"), otherwise rounded ("1.23 GiB"). */
export function formatSize(bytes: number): string {
  let value = bytes;
  let index = 0;
  while (value >= 1024 && index < BINARY_UNITS.length - 1) {
    value /= 1024;
    index += 1;
  }
  return `${Number(value.toFixed(2))} ${BINARY_UNITS[index] ?? "B"}`;
}
