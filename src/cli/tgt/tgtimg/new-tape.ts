import { closeSync, constants, openSync, writeSync } from "node:fs";
import { bytesOf } from "../byte-words.ts";
import { leadingUnsigned } from "../c-number.ts";
import { failure, success, wrongUse, type Ending } from "../ending.ts";
import { systemWords } from "../system-words.ts";
import {
  BARCODE_BYTES_MAX,
  encodeAttributes,
  encodeHeader,
  TAPE_ATTRIBUTES_BYTES,
  TAPE_DATA_OFFSET,
  TAPE_HEADER_BYTES,
  TapeBlock,
} from "./tape-layout.ts";

/** The size of a tape, in MiB, where the word for it is 0 or none. */
const DEFAULT_MIB = 8000n;

/** Only its owner, and its group to read. The umask takes from it. */
export const IMAGE_MODE = 0o640;
export const CREATE_FLAGS: number = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC;

/** Exit statuses of tgtimg 1.0.85. */
const UNCREATED_STATUS = 2;
const UNWRITTEN_STATUS = 1;

export interface NewTape {
  readonly mediumType: number;
  readonly barcode: string;
  /** In MiB, as it was typed. */
  readonly size: string;
  readonly file: string;
  /** Seconds since 1970. */
  readonly seconds: number;
}

/** Makes a blank tape. */
export function newTape({ mediumType, barcode, size, file, seconds }: NewTape): Ending {
  if (barcode.length > BARCODE_BYTES_MAX) {
    // tgtimg 1.0.85 writes past the end of its memory and is aborted.
    return wrongUse("tgtimg", `tgtimg: the barcode has more than ${BARCODE_BYTES_MAX} characters`);
  }
  const wanted = leadingUnsigned(size, 10) ?? 0n;
  const sizeMib = wanted === 0n ? DEFAULT_MIB : wanted;
  const first = BigInt(TAPE_DATA_OFFSET);
  const blockSize = Number(BigInt.asUintN(32, sizeMib));
  const none = { storedBytes: 0, number: 0n, previous: 0n, current: 0n, next: first };
  const beginning = encodeHeader({ ...none, blockSize, type: TapeBlock.beginning });
  const attributes = encodeAttributes(mediumType, barcode, sizeMib, seconds);
  const end = { ...none, blockSize: 0, type: TapeBlock.end, number: 1n, current: first };
  const told = `blk_sz: ${blockSize | 0}, next ${first}, ${first}
Sizeof(mam): ${TAPE_ATTRIBUTES_BYTES}, sizeof(h): ${TAPE_HEADER_BYTES}
`;
  const failed = write(file, Buffer.concat([beginning, attributes, encodeHeader(end)]));
  return failed === undefined ? success(told) : { ...failed, stdout: told };
}

function write(file: string, bytes: Uint8Array): Ending | undefined {
  let fd: number;
  try {
    fd = openSync(bytesOf(file), CREATE_FLAGS, IMAGE_MODE);
  } catch (error) {
    return uncreated(error);
  }
  try {
    writeSync(fd, bytes);
    return undefined;
  } catch (error) {
    return failure(`Unable to write header: ${systemWords(error)}`, UNWRITTEN_STATUS);
  } finally {
    closeSync(fd);
  }
}

export function uncreated(error: unknown): Ending {
  return failure(`Failed creating file: ${systemWords(error)}`, UNCREATED_STATUS);
}
