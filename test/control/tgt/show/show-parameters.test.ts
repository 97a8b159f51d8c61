import { expect, it } from "vitest";
import { SESSION_KEY_DEFAULTS } from "../../../../src/control/tgt/defaults.ts";
import { showParameters } from "../../../../src/control/tgt/show/show-parameters.ts";

const UNCHANGED = { nopIntervalSeconds: 0, nopCount: 0, keys: {}, redirect: undefined };

it("shows every key in its place, whatever the order in which they were set", () => {
  const keys = { MaxQueueCmd: "1", HeaderDigest: "CRC32C" };
  const names = showParameters({ ...UNCHANGED, keys })
    .trimEnd()
    .split("\n")
    .map((text) => text.slice(0, text.indexOf("=")));
  expect(names).toEqual(["nop_interval", "nop_count", ...Object.keys(SESSION_KEY_DEFAULTS)]);
});

it("shows nothing but the redirection where there is one", () => {
  const redirect = { to: "callback", program: "/x" } as const;
  expect(showParameters({ ...UNCHANGED, redirect })).toBe("RedirectCallback=/x\n");
});
