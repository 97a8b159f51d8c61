/**
 * Matches `text` against a pattern in which `*` stands for any run of characters. On a mismatch only the last star is
 * tried again, one character further, so that the cost is at most the product of the two lengths (both are bounded by
 * the length of an iSCSI name): a pattern with many stars cannot make it explode.
 */
export function globMatches(pattern: string, text: string): boolean {
  let patternAt = 0;
  let textAt = 0;
  let starAt = -1;
  let starTextAt = 0;
  while (textAt < text.length) {
    if (pattern[patternAt] === "*") {
      starAt = patternAt++;
      starTextAt = textAt;
    } else if (pattern[patternAt] === text[textAt]) {
      patternAt++;
      textAt++;
    } else if (starAt >= 0) {
      patternAt = starAt + 1;
      textAt = ++starTextAt;
    } else {
      return false;
    }
  }
  while (pattern[patternAt] === "*") patternAt++;
  return patternAt === pattern.length;
}
