import { closeSync, openSync, readSync } from "node:fs";
import { bytesOf } from "../byte-words.ts";
import { leadingSigned } from "../c-number.ts";
import { failure, type Ending } from "../ending.ts";
import { systemWords } from "../system-words.ts";
import {
  decodeAttributes,
  decodeHeader,
  isHeaderWhole,
  TAPE_ATTRIBUTES_BYTES,
  TAPE_HEADER_BYTES,
  TAPE_VERSION,
  TapeBlock,
  type TapeAttributes,
  type TapeHeader,
} from "./tape-layout.ts";

/** The exit status for what is no tape. */
const NO_TAPE_STATUS = 1;

/** perror(3) where the system has nothing to complain about: the file is too short. */
const NO_ERROR = "Success";

const MEDIUM_NAMES = ["Unspecified", "Data", "Cleaning", "Diagnostics", "WORM", "Microcode"];

/** Blanks as tgtimg 1.0.85 has them: they do not line up. */
const BLOCK_NAMES: ReadonlyMap<number, string> = new Map<number, string>([
  [TapeBlock.data, " Uncompressed data"],
  [TapeBlock.filemark, "         Filemark"],
  [TapeBlock.beginning, "Beginning of Tape"],
  [TapeBlock.end, "      End of Data"],
  [TapeBlock.none, "      No Operation"],
]);
const UNKNOWN_BLOCK = "      Unknown type";

const CHECKSUM_COMPLAINT = "crc error\n";

/** Lists what is on a tape. A header whose checksum is wrong is shown all the same, with a complaint. */
export function showTape(file: string): Ending {
  let fd: number;
  try {
    fd = openSync(bytesOf(file), "r");
  } catch (error) {
    return failure(`tgtimg: can't open ${file}, ${systemWords(error)}`, NO_TAPE_STATUS);
  }
  try {
    return listTape(fd);
  } finally {
    closeSync(fd);
  }
}

function listTape(fd: number): Ending {
  const first = read(fd, 0, TAPE_HEADER_BYTES);
  if (typeof first === "string") {
    return failure(`Could not read blk header: ${first}`, NO_TAPE_STATUS);
  }
  const stderr = isHeaderWhole(first) ? "" : CHECKSUM_COMPLAINT;
  const bytes = read(fd, TAPE_HEADER_BYTES, TAPE_ATTRIBUTES_BYTES);
  if (typeof bytes === "string") {
    const { status, stderr: complaint } = failure(`Could not read MAM: ${bytes}`, NO_TAPE_STATUS);
    return { status, stdout: "", stderr: stderr + complaint };
  }
  const attributes = decodeAttributes(bytes);
  if (attributes.version !== TAPE_VERSION) {
    const stdout = `Unknown media format version ${attributes.version.toString(16)}\n`;
    return { status: NO_TAPE_STATUS, stdout, stderr };
  }
  const blocks = listBlocks(fd, decodeHeader(first));
  return {
    status: 0,
    stdout: mediumLines(attributes) + blocks.stdout,
    stderr: stderr + blocks.stderr,
  };
}

/** So many bytes at an offset, or why they cannot be had. */
function read(fd: number, offset: number, lengthBytes: number): Uint8Array | string {
  const bytes = new Uint8Array(lengthBytes);
  try {
    return readSync(fd, bytes, 0, lengthBytes, offset) === lengthBytes ? bytes : NO_ERROR;
  } catch (error) {
    return systemWords(error);
  }
}

function mediumLines({ barcode, mediumType, serialNumber }: TapeAttributes): string {
  return `Media     : ${barcode}
 type     : ${MEDIUM_NAMES[mediumType] ?? "Unknown"}
Media serial number : ${serialNumber}, ${createdWords(serialNumber)}
`;
}

/** The time that a serial number has behind its last underscore, if a barcode precedes that. */
function createdWords(serialNumber: string): string {
  const underscore = serialNumber.lastIndexOf("_");
  if (underscore <= 0) return "";
  const seconds = leadingSigned(serialNumber.slice(underscore + 1)) ?? 0n;
  const time = new Date(Number(seconds) * 1000);
  return `created ${Number.isNaN(time.getTime()) ? "(null)" : `${timeWords(time)}\n`}`;
}

const DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");

/** A time of this host's zone as ctime(3) writes it, without the line feed. */
function timeWords(time: Date): string {
  const two = (value: number): string => String(value).padStart(2, "0");
  const clock = [time.getHours(), time.getMinutes(), time.getSeconds()].map(two).join(":");
  const day = String(time.getDate()).padStart(2);
  return `${DAYS[time.getDay()]} ${MONTHS[time.getMonth()]} ${day} ${clock} ${time.getFullYear()}`;
}

function listBlocks(fd: number, first: TapeHeader): { stdout: string; stderr: string } {
  const lines: string[] = [];
  let stderr = "";
  let offset = 0;
  for (let header = first; ;) {
    lines.push(blockLine(header));
    if (header.type === TapeBlock.end) break;
    const next = Number(header.next);
    // One that leads back would be shown for ever.
    const bytes =
      next > offset && Number.isSafeInteger(next) ? read(fd, next, TAPE_HEADER_BYTES) : "";
    if (typeof bytes === "string") {
      lines.push("Could not read complete blk header - short read!!");
      break;
    }
    if (!isHeaderWhole(bytes)) stderr += CHECKSUM_COMPLAINT;
    offset = next;
    header = decodeHeader(bytes);
  }
  return { stdout: `${lines.join("\n")}\n`, stderr };
}

function blockLine(header: TapeHeader): string {
  const { storedBytes, blockSize, type } = header;
  const [number, previous, current, next] = [
    header.number,
    header.previous,
    header.current,
    header.next,
  ].map((value) => BigInt.asIntN(64, value));
  const name = `${BLOCK_NAMES.get(type) ?? UNKNOWN_BLOCK}(${type | 0})`;
  if (type === TapeBlock.beginning) {
    const places = `prev ${previous}, curr ${current}, next ${next}`;
    return `${name}: Capacity ${blockSize | 0} MB, Blk No.: ${number}, ${places}`;
  }
  const places = `prev ${previous}, curr ${current},  next ${next}`;
  return `${name}: Blk No. ${number}, ${places}, sz ${storedBytes | 0}`;
}
