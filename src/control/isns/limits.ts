/** What one PDU can say: its length has 16 bits and is a multiple of 4. */
export const PDU_PAYLOAD_BYTES_MAX = 0xfffc;

/** A message in all its PDUs: an answer with ten thousand initiators has about 1 MiB. */
export const MESSAGE_BYTES_MAX: number = 4 * 1024 * 1024;

/** Of one message: an attribute has 8 bytes at least, and hardly one has only these. */
export const ATTRIBUTES_MAX = 65_536;

/** How long a server may take to be reached, and for each answer. */
export const REQUEST_MS_MAX = 10_000;

/** Who may be connected to tell of changes at a time: servers, and whoever tries. */
export const EVENT_CONNECTIONS_MAX = 16;

/** A server that has connected to tell something says it at once. */
export const EVENT_IDLE_MS_MAX = 120_000;

/** What a server says by itself is one target or host at a time, with some attributes. */
export const EVENT_BYTES_MAX: number = 64 * 1024;

/** Between times that notices are acted upon: each of them is a reason to ask for everything. */
export const NOTICE_MS_MIN = 1_000;

/** Between attempts to reach a server: each wait is twice as long as the one before. */
export const RETRY_MS_MIN = 2_000;
export const RETRY_MS_MAX = 60_000;

/** Asked for in a registration, in seconds; servers may say another. A daemon that was killed is forgotten after it. */
export const REGISTRATION_SECONDS = 300;
export const REGISTRATION_SECONDS_MIN = 15;
export const REGISTRATION_SECONDS_MAX = 86_400;

/** How often servers are asked to inquire, in seconds. */
export const INQUIRY_SECONDS = 60;

/** Of registrations in one period: one may be lost. */
export const REFRESHES_PER_PERIOD = 3;

/** A shutdown does not wait longer for a server that is to forget what was here. */
export const FAREWELL_MS_MAX = 2_000;
