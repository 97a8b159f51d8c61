import { expect, it } from "vitest";
import { accountLines, showAccounts } from "../../../../src/control/tgt/show/show-account.ts";

it("lists bound accounts in order, the outgoing one last", () => {
  expect(accountLines({ incoming: ["b", "a"], outgoing: "b" }, 1)).toBe(
    "    b\n    a\n    b (outgoing)\n",
  );
  expect(accountLines({ incoming: [], outgoing: "b" }, 2)).toBe("        b (outgoing)\n");
  expect(accountLines({ incoming: [], outgoing: undefined }, 2)).toBe("");
});

it("lists all accounts from the newest on, without turning the caller's list round", () => {
  const names = ["a", "b"];
  expect(showAccounts(names)).toBe("Account list:\n    b\n    a\n");
  expect(names).toEqual(["a", "b"]);
});
