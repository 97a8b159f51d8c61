/** tgtadm sends its request at once. Whoever is slower than this keeps a place from others. */
export const REQUEST_MS_MAX = 10_000;

/** An answer lies in the buffers of the kernel and this process until it is taken; after this long it is not wanted. */
export const ANSWER_MS_MAX = 30_000;

/** Commands come one at a time; this leaves room for scripts that start many. */
export const CONNECTIONS_MAX = 64;
