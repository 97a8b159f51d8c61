/** What a peer has sent makes no sense; the connection to it is of no use any more. */
export class IsnsProtocolError extends Error {
  override readonly name = "IsnsProtocolError";
}
