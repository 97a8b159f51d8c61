/** What volumes were promised and have not taken yet, in extents: one number that all volumes of a pool keep. */
export class Reservations {
  outstandingExtents = 0;
}
