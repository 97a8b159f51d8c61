/**
 * Bytes as text, 16 to a line: the offset, and the bytes in hexadecimal. Lines of nothing but zeros are left out, so that a page
 * with little in it is little text.
 */
export function hexDump(bytes: Uint8Array): string {
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += 16) {
    const row = bytes.subarray(at, at + 16);
    if (row.every((byte) => byte === 0)) continue;
    const words = [...row].map((byte) => byte.toString(16).padStart(2, "0"));
    lines.push(`${at.toString(16).padStart(4, "0")}: ${words.join(" ")}`);
  }
  return lines.join("\n");
}

/** The bytes of a dump; what it leaves out is zeros. */
export function parseHexDump(text: string, lengthBytes: number): Uint8Array {
  const bytes = new Uint8Array(lengthBytes);
  for (const line of text.split("\n")) {
    const match = /^\s*([0-9a-f]{4}): ([0-9a-f ]+)$/.exec(line);
    if (match === null) continue;
    const [, offset = "", row = ""] = match;
    bytes.set(Buffer.from(row.replaceAll(" ", ""), "hex"), Number.parseInt(offset, 16));
  }
  return bytes;
}
