import {
  anyText,
  type FieldsOf,
  list,
  NOTHING,
  type Nothing,
  record,
  type Schema,
  type SchemasOf,
  text,
} from "./schema.ts";
import { ORIGIN, type Origin } from "./target.ts";

/** A CHAP user that targets can be given. The secret is never told. */
export interface AccountReport {
  readonly user: string;
  readonly origin: Origin;
  /** Targets that let it in, by name. */
  readonly targets: readonly string[];
}

const ACCOUNT_REPORT: Schema<AccountReport> = record<AccountReport>(
  {
    user: anyText("its name"),
    origin: ORIGIN,
    targets: list("that let it in", anyText("the name of a target")),
  },
  "AccountReport",
);

interface AccountArguments {
  readonly user: string;
}

interface SecretArguments extends AccountArguments {
  readonly password: string;
}

export interface AccountProtocol {
  "account/list": { readonly arguments: Nothing; readonly reply: readonly AccountReport[] };
  "account/create": { readonly arguments: SecretArguments; readonly reply: AccountReport };
  /** Also for the targets that have it. */
  "account/set": { readonly arguments: SecretArguments; readonly reply: AccountReport };
  "account/delete": { readonly arguments: AccountArguments; readonly reply: Nothing };
}

const ACCOUNT: FieldsOf<AccountArguments> = { user: text("the name of a CHAP user") };
const WITH_SECRET: Schema<SecretArguments> = record<SecretArguments>({
  ...ACCOUNT,
  password: text("its secret"),
});

export const ACCOUNT_SCHEMAS: SchemasOf<AccountProtocol> = {
  "account/list": { arguments: NOTHING, reply: list("all accounts", ACCOUNT_REPORT) },
  "account/create": { arguments: WITH_SECRET, reply: ACCOUNT_REPORT },
  "account/set": { arguments: WITH_SECRET, reply: ACCOUNT_REPORT },
  "account/delete": { arguments: record<AccountArguments>(ACCOUNT), reply: NOTHING },
};
