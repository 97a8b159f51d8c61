/** Limits of the data path of thin volumes, each with its reason. */

/**
 * Pieces of one request that are under way at a time: enough to keep a device busy with one large request, and few enough that it
 * does not take the device away from the others.
 */
export const PIECES_IN_FLIGHT_MAX = 8;

/** Objects that wait to be used again, of each kind and volume: what a full command window of small writes needs. */
export const FREE_OBJECTS_MAX = 256;

/** What is moved in one turn of the event loop, in bytes; a device takes no more at a time either. */
export const TURN_BYTES_MAX: number = 256 * 1024;

/** Leaves that a report of a volume's extents looks at before it lets others run: some milliseconds. */
export const REPORT_LEAVES_PER_TURN = 256;
