import { describePlace, type Place } from "./config-general-error.ts";
import type { ConfSection, Said } from "./targets-conf-report.ts";

/** A user of CHAP. The password is never part of a message. */
export interface AccountWanted {
  readonly place: Place;
  readonly user: string;
  readonly password: string;
}

/** The one blank that parts user and password is neither two nor a tab: tgt-admin finds no password behind those. */
export function readAccount(section: ConfSection, key: string, said: Said): AccountWanted | null {
  const [user = "", password = "", ...rest] = said.text.split(" ");
  if (user === "" || password === "") {
    section.problem(
      said.place,
      `option "${key}" has a missing value: it takes USER, one blank, PASSWORD`,
    );
    return null;
  }
  if (rest.some((word) => word !== "")) {
    section.warn(said.place, `what follows the second blank of "${key}" is ignored`);
  }
  return { place: said.place, user, password };
}

/**
 * The passwords of users, who are the same for all targets. tgt-admin makes an account where there is none of this name
 * yet, so that the first password counts, in the order in which it looks at them; and never changes one that tgtd has.
 */
export class AccountBook {
  readonly #first = new Map<string, AccountWanted>();

  /** The account with the password that counts. */
  enter(section: ConfSection, account: AccountWanted): AccountWanted {
    const first = this.#first.get(account.user);
    if (first === undefined) {
      this.#first.set(account.user, account);
      return account;
    }
    if (first.password !== account.password) {
      section.warn(
        account.place,
        `user "${account.user}" has another password at ${describePlace(first.place)}, which counts`,
      );
    }
    return { ...account, password: first.password };
  }
}
