import type { ThinVolume } from "../../thin/io/thin-volume.ts";
import { flush, readBytes, writeBytes } from "../../util/io-request.ts";
import {
  DATA_BYTES_MAX,
  EXTENTS_MAX,
  type ExtentsReply,
  IMPORT_SUFFIX,
  OperationError,
  type RangeArguments,
  type ReplyOf,
} from "../protocol.ts";
import { findVolume } from "./find.ts";
import type { OperationContext, OperationRequest } from "./operation.ts";

interface Range {
  readonly volume: ThinVolume;
  readonly offsetBytes: number;
  readonly lengthBytes: number;
}

function rangeOf(context: OperationContext, given: RangeArguments): Range {
  const { offsetBytes, lengthBytes } = given;
  const { volume } = findVolume(context, given.pool, given.volume);
  const { name, sizeBytes } = volume.attributes;
  if (lengthBytes < 1 || offsetBytes + lengthBytes > sizeBytes) {
    throw new OperationError(
      "invalid",
      `bytes ${offsetBytes} to ${offsetBytes + lengthBytes} are not within volume ${name}, which has ${sizeBytes}`,
    );
  }
  return { volume, offsetBytes, lengthBytes };
}

/** What of a volume is mapped, a page of runs at a time. Errors: invalid, missing, failed, io. */
export async function volumeExtents({
  context,
  body,
}: OperationRequest<"volume/extents">): Promise<ExtentsReply> {
  const range = rangeOf(context, body);
  const { volume, offsetBytes, lengthBytes } = range;
  const extents = await volume.extents(offsetBytes, lengthBytes, EXTENTS_MAX);
  const last = extents.at(-1);
  const end = last === undefined ? offsetBytes : last.offsetBytes + last.lengthBytes;
  const isComplete = end >= offsetBytes + lengthBytes;
  return { sizeBytes: volume.capacityBytes, extents, nextOffsetBytes: isComplete ? null : end };
}

/** Errors: invalid: also where the volume can change meanwhile; missing, failed, io. */
export async function readVolume(
  request: OperationRequest<"volume/read">,
): Promise<ReplyOf<"volume/read">> {
  const { context, body } = request;
  const { volume, offsetBytes, lengthBytes } = rangeOf(context, body);
  if (!volume.attributes.readOnly) {
    throw new OperationError(
      "invalid",
      `volume ${volume.attributes.name} can change while it is read: read a snapshot of it`,
    );
  }
  return readBytes(volume, offsetBytes, lengthBytes);
}

function mustBeImported({ attributes: { name } }: ThinVolume): void {
  if (name.endsWith(IMPORT_SUFFIX)) return;
  throw new OperationError(
    "invalid",
    `volume ${name} is not being imported: it is written by initiators only`,
  );
}

/** Writes the payload. Errors: invalid: also where the volume is not being imported; missing, space, failed, io. */
export async function writeVolume(
  request: OperationRequest<"volume/write">,
): Promise<ReplyOf<"volume/write">> {
  const { context, body, payload } = request;
  if (payload.length > DATA_BYTES_MAX) {
    throw new OperationError("invalid", `the payload has more than ${DATA_BYTES_MAX} bytes`);
  }
  const { volume, offsetBytes } = rangeOf(context, { ...body, lengthBytes: payload.length });
  mustBeImported(volume);
  await writeBytes(volume, offsetBytes, payload);
  return {};
}

/** Errors: invalid, missing, failed. */
export async function syncVolume(
  request: OperationRequest<"volume/sync">,
): Promise<ReplyOf<"volume/sync">> {
  const { context, body } = request;
  const { volume } = findVolume(context, body.pool, body.volume);
  await flush(volume);
  return {};
}
