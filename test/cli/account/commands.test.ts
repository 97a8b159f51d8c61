import { describe, expect, it } from "vitest";
import { accountCommand } from "../../../src/cli/account.ts";
import { accountTable } from "../../../src/cli/account/commands.ts";

describe("accounts for people", () => {
  it("are a line each", () => {
    expect(accountCommand.command).toBe("account");
    expect(accountTable([])).toBe("There are none.\n");
    const account = { user: "alice", origin: "command", targets: ["a", "b"] } as const;
    expect(accountTable([account])).toMatch(/USER +FROM +TARGETS\nalice +command +a b\n/);
  });
});
