/** The bounds of the initiator: what it accepts from a target before it calls the target wrong. */

/** How long the TCP connection may take. */
export const CONNECT_TIMEOUT_MS = 10_000;
/** How long each answer in the login, and to text, logout and NOP-Out, may take. */
export const ANSWER_TIMEOUT_MS = 15_000;
/** How long a command may take where the caller does not say: as Linux has it. */
export const COMMAND_TIMEOUT_MS = 30_000;
/** Requests in one login. Four are usual; a target that continues long texts needs more. */
export const LOGIN_EXCHANGES_MAX = 32;
/** All text of one negotiation, continuations taken together: thousands of targets in one SendTargets. */
export const TEXT_BYTES_MAX: number = 16 * 1024 * 1024;
/** Redirections that one login follows; more is a loop. */
export const REDIRECTS_MAX = 4;
/** The longest challenge, RFC 7143 12.1.3: 1024 bytes in binary form. */
export const CHAP_CHALLENGE_BYTES_MAX = 1024;
/** The challenge that this initiator sends: longer than any of the digests. */
export const CHAP_CHALLENGE_BYTES = 32;
/** The MaxRecvDataSegmentLength that is declared, in bytes. */
export const RECEIVE_DATA_SEGMENT_BYTES = 262_144;
/** Before the negotiation, and where the target declares nothing, RFC 7143 13.12. */
export const DEFAULT_DATA_SEGMENT_BYTES = 8192;
/** The port of iSCSI, RFC 7143 15. */
export const ISCSI_PORT = 3260;
