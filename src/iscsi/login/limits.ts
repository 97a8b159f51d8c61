/**
 * Bounds of everything that an unauthenticated peer can make this end keep or compute. A half-open login costs at
 * most {@link TEXT_BYTES_MAX} and a few objects, so that thousands of them fit.
 */

/**
 * Text of one negotiation sequence, over all PDUs that the C bit joins. RFC 7143 6.1 asks for at least 8,192 bytes;
 * 64 KiB are asked only of those who offer authentication methods with very long items, which CHAP is not.
 */
export const TEXT_BYTES_MAX = 16_384;

/** Pairs in one text. All keys of the standard are fewer than 40; the rest is room for vendors' X- keys. */
export const TEXT_PAIRS_MAX = 96;

/** Longest key name (RFC 7143 6.1). */
export const KEY_BYTES_MAX = 63;

/** Longest simple value: an item of a list, unless it is a binary constant (RFC 7143 6.1). */
export const SIMPLE_VALUE_BYTES_MAX = 255;

/** Longest binary value after decoding: a CHAP challenge or response (RFC 7143 12.1.3). */
export const BINARY_VALUE_BYTES_MAX = 1024;

/** Longest binary constant as text: two digits a byte and the prefix. */
export const BINARY_CONSTANT_BYTES_MAX: number = 2 + 2 * BINARY_VALUE_BYTES_MAX;

/** Items of a list value. Initiators list four digest or CHAP algorithms; vendors add a few. */
export const LIST_ITEMS_MAX = 32;

/** Longest iSCSI name (RFC 7143 4.2.7.2). */
export const ISCSI_NAME_BYTES_MAX = 223;

/**
 * Login Requests that one login may take. A login with mutual CHAP takes five; one that arrives in many small C-bit
 * pieces takes more. Past this, the peer only holds the connection.
 */
export const LOGIN_REQUESTS_MAX = 64;

/** Data segment of a Login Response: what every initiator accepts during login (RFC 7143 13.12). */
export const LOGIN_REPLY_BYTES_MAX = 8192;

/** Text Requests that one exchange in full-feature phase may take: a long SendTargets answer in small pieces. */
export const TEXT_REQUESTS_MAX = 16_384;

/**
 * Answer of one text exchange. A target with a name of 223 bytes on four portals takes about 500 bytes: room for
 * some 16,000 of them, held only while an initiator fetches it.
 */
export const TEXT_ANSWER_BYTES_MAX = 8_388_608;

/** Rules of one access list. */
export const ACCESS_RULES_MAX = 4096;

/** Accounts of one authentication policy. */
export const ACCOUNTS_MAX = 1024;

/** The limits of one login, as a value, so that a test (or a busy host) can choose tighter ones. */
export interface LoginLimits {
  readonly textBytesMax: number;
  readonly requestsMax: number;
  readonly replyBytesMax: number;
}

export const LOGIN_LIMITS: LoginLimits = {
  textBytesMax: TEXT_BYTES_MAX,
  requestsMax: LOGIN_REQUESTS_MAX,
  replyBytesMax: LOGIN_REPLY_BYTES_MAX,
};
