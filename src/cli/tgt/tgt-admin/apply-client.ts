import type { TgtApplyProtocol } from "../../../control/protocol.ts";

/** The daemon's own way to change, or tell, all that it has at once. Errors are OperationErrors. */
export interface ApplyClient {
  call<Name extends keyof TgtApplyProtocol>(
    name: Name,
    body: TgtApplyProtocol[Name]["arguments"],
  ): Promise<TgtApplyProtocol[Name]["reply"]>;
  close(): Promise<void>;
}
