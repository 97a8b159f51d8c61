import { expect, it } from "vitest";
import { webAssembly } from "../../native-free/webassembly.ts";

it("is the runtime's own interface", () => {
  const memory =
    webAssembly === undefined ? null : new webAssembly.Memory({ initial: 1, maximum: 1 });
  expect(memory?.buffer.byteLength).toBe(65_536);
});
