/** What the status of a Login Response says, RFC 7143 11.13.5; key: class << 8 | detail. */
const MEANING: ReadonlyMap<number, string> = new Map([
  [0x0101, "the target moved temporarily"],
  [0x0102, "the target moved for good"],
  [0x0200, "the target found an error in the login"],
  [0x0201, "authentication failed: check user name and password"],
  [0x0202, "this initiator may not use the target"],
  [0x0203, "the target does not exist"],
  [0x0204, "the target was removed"],
  [0x0205, "the protocol version is not supported"],
  [0x0206, "too many connections"],
  [0x0207, "a parameter is missing"],
  [0x0208, "the connection cannot be part of this session"],
  [0x0209, "the session type is not supported"],
  [0x020a, "the session does not exist"],
  [0x020b, "the request is not valid during login"],
  [0x0300, "the target failed"],
  [0x0301, "the service is not available"],
  [0x0302, "the target is out of resources"],
]);

export function loginStatusText(statusClass: number, statusDetail: number): string {
  const code = (statusClass << 8) | statusDetail;
  const hex = code.toString(16).padStart(4, "0");
  return `${MEANING.get(code) ?? "the target refused the login"} (login status ${hex}h)`;
}
