import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { runChild } from "../../../native-free/child-process.ts";
import { byteWords, bytesOf, toByteString } from "../../../src/cli/tgt/byte-words.ts";

describe("words as bytes", () => {
  it("have a character for each byte", () => {
    expect(toByteString("a\u00e9\u20ac")).toBe("a\u00c3\u00a9\u00e2\u0082\u00ac");
    expect(bytesOf("\u00c3\u00a9")).toEqual(Buffer.from([0xc3, 0xa9]));
    expect(byteWords(["-b", "\u00e9", ""])).toEqual(["-b", "\u00c3\u00a9", ""]);
  });

  it("keep what is no UTF-8", async () => {
    const module = join(import.meta.dirname, "../../../src/cli/tgt/byte-words.ts");
    const program = `import(${JSON.stringify(module)}).then(({ byteWords }) => {
      console.log(JSON.stringify(byteWords(process.argv.slice(1))));
    });`;
    // printf makes bytes that no string of Node.js has.
    const script = 'exec "$0" --import tsx -e "$1" -- "$(printf "a\\377b")" "" c';
    const { stdout, stderr } = await runChild("sh", ["-c", script, process.execPath, program]);
    expect(stderr).toBe("");
    expect(JSON.parse(stdout)).toEqual(["a\u00ffb", "", "c"]);
  });
});
