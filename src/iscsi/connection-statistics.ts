import { Opcode } from "./pdu/opcode.ts";

/** Places in the array of counters. */
const Cell = {
  receivedOctets: 0,
  sentOctets: 1,
  commands: 2,
  dataOuts: 3,
  dataIns: 4,
  responses: 5,
  rejects: 6,
  headerDigestErrors: 7,
  dataDigestErrors: 8,
} as const;
type Cell = (typeof Cell)[keyof typeof Cell];
const CELLS = Object.keys(Cell).length;

/**
 * What went over one connection, from its first byte on. Octets are those of the stream, headers, padding and digests
 * included; PDUs are those of the kinds that SCSI commands are made of. All counters only grow, and are exact to 2^53.
 */
export class ConnectionStatistics {
  readonly #cells: Float64Array = new Float64Array(CELLS);

  get receivedOctets(): number {
    return this.#read(Cell.receivedOctets);
  }

  get sentOctets(): number {
    return this.#read(Cell.sentOctets);
  }

  /** SCSI Command PDUs that came. */
  get commands(): number {
    return this.#read(Cell.commands);
  }

  /** SCSI Data-Out PDUs that came. */
  get dataOuts(): number {
    return this.#read(Cell.dataOuts);
  }

  /** SCSI Data-In PDUs that were sent, those with a status too. */
  get dataIns(): number {
    return this.#read(Cell.dataIns);
  }

  /** SCSI Response PDUs that were sent: commands whose status did not go with their data. */
  get responses(): number {
    return this.#read(Cell.responses);
  }

  get rejects(): number {
    return this.#read(Cell.rejects);
  }

  get headerDigestErrors(): number {
    return this.#read(Cell.headerDigestErrors);
  }

  get dataDigestErrors(): number {
    return this.#read(Cell.dataDigestErrors);
  }

  #read(cell: Cell): number {
    return this.#cells[cell] ?? 0;
  }

  received(octets: number): void {
    this.#cells[Cell.receivedOctets]! += octets;
  }

  sent(octets: number): void {
    this.#cells[Cell.sentOctets]! += octets;
  }

  pduReceived(opcode: number): void {
    if (opcode === Opcode.scsiCommand) this.#cells[Cell.commands]! += 1;
    else if (opcode === Opcode.dataOut) this.#cells[Cell.dataOuts]! += 1;
  }

  pduSent(opcode: number): void {
    if (opcode === Opcode.dataIn) this.#cells[Cell.dataIns]! += 1;
    else if (opcode === Opcode.scsiResponse) this.#cells[Cell.responses]! += 1;
  }

  rejected(): void {
    this.#cells[Cell.rejects]! += 1;
  }

  headerDigestFailed(): void {
    this.#cells[Cell.headerDigestErrors]! += 1;
  }

  dataDigestFailed(): void {
    this.#cells[Cell.dataDigestErrors]! += 1;
  }

  add(other: ConnectionStatistics): void {
    for (const [index, value] of other.#cells.entries()) this.#cells[index]! += value;
  }
}
