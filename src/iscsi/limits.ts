/** Limits of the transport: what one peer, and all of them, can make this end hold. Sizes in bytes. */

/** Connections at a time, all portals together. Half-open logins count; the oldest of them makes room. */
export const CONNECTIONS_MAX: number = 4096;

/** A login must be over by then (it takes milliseconds): half-open connections cost memory. */
export const LOGIN_TIMEOUT_MS: number = 15_000;

/** Data segment in the login phase: the RFC's default MaxRecvDataSegmentLength, as nothing else is agreed on yet. */
export const LOGIN_DATA_SEGMENT_BYTES_MAX: number = 8192;

/**
 * Commands that a session may have here, and so the width of the CmdSN window. Open-iSCSI uses 128 by default and
 * 2,048 at the most; more than 256 adds latency, not throughput.
 */
export const COMMAND_WINDOW: number = 256;

/** Immediate commands and functions do not use the window: this many at a time (RFC 7143 4.2.2.1 lets us refuse more). */
export const IMMEDIATE_TASKS_MAX: number = 64;

/** PDUs that came before their turn wait with their data, this many bytes of them per session. */
export const HELD_BYTES_MAX: number = 4 * 1024 * 1024;

/** All connections receive into one buffer of this size: what a loopback or 25 Gbit/s link delivers in a turn. */
export const RECEIVE_BUFFER_BYTES: number = 1024 * 1024;

/**
 * A PDU of which at least this much is missing is received where it is put together, without a copy. Below that, a
 * system call for the rest alone would cost more than the copy.
 */
export const DIRECT_RECEIVE_BYTES_MIN: number = 32 * 1024;

/** Responses are laid side by side in chunks of this size; one holds the longest PDU that is ever sent. */
export const SEND_CHUNK_BYTES: number = 512 * 1024;

/** The most data in one Data-In PDU, whatever longer segments the initiator would take. */
export const DATA_IN_SEGMENT_BYTES_MAX: number = 256 * 1024;

/** Data-In waits while more than this is queued on the connection: a slow reader holds this much memory, not more. */
export const SEND_QUEUE_BYTES_HIGH: number = 2 * 1024 * 1024;

/** Nothing more is received while this much is queued: pings and errors answer to a reader, or not at all. */
export const SEND_QUEUE_BYTES_MAX: number = 4 * 1024 * 1024;

/** Data that the initiator may send at our invitation, or that waits for a slow volume, per connection. */
export const SOLICITED_BYTES_MAX: number = 8 * 1024 * 1024;

/** The most that one R2T asks for: large enough to stream, small enough that commands take turns. */
export const READY_TO_TRANSFER_BYTES_MAX: number = 1024 * 1024;

/** Data-out that waits for a slow volume before the connection stops receiving; unsolicited data come uninvited. */
export const STAGED_BYTES_MAX: number = 16 * 1024 * 1024;

/** Data of commands that wait for others in the task set, per connection; a command beyond it gets TASK SET FULL. */
export const DORMANT_BYTES_MAX: number = 16 * 1024 * 1024;

/** Free buffers that are kept for reuse. What a burst needed beyond this is given back to the system. */
export const POOLED_BUFFERS_MAX: number = 32;

/** Pieces of data-out are put together up to this size before they go to the volume. */
export const STAGING_BYTES: number = 256 * 1024;

/**
 * Tags of aborted tasks that are remembered, so that data already on their way are dropped in silence: as many as one
 * reset can abort.
 */
export const ABORTED_TAGS_MAX: number = COMMAND_WINDOW + IMMEDIATE_TASKS_MAX;

/** An initiator is asked whether it lives after this long without a word from it, and again each time as long ... */
export const PING_INTERVAL_SECONDS: number = 10;

/** ... and its connection is dropped when so many questions, and one more interval, brought nothing. */
export const PING_COUNT: number = 2;

/** How often the connections are looked through for the above. */
export const SWEEP_INTERVAL_MS: number = 1_000;

/** A peer that does not take the last bytes (a logout's answer, a login's refusal) is cut off after this. */
export const CLOSE_TIMEOUT_MS: number = 5_000;

/** Data of asynchronous reads that are under way per connection; further ones wait their turn. */
export const STAGED_READ_BYTES_MAX: number = 4 * 1024 * 1024;

/** Writes go to the volume in pieces of whole pages, wherever the initiator cut its PDUs. */
export const WRITE_PIECE_BYTES: number = 4096;

/** Text in one Text Response, whatever longer segments the initiator would take. */
export const SEND_TEXT_BYTES_MAX: number = 64 * 1024;
