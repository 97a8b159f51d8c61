import type { Generator } from "../generators/generator.ts";
import type { LoadShape, PeerRole, Placement, Protocol, Sample } from "../result.ts";

/** What a peer is started on. */
export interface Stage {
  /** For its configuration and sockets; empty when it starts, and gone when all is over. */
  readonly folder: string;
  /** A file or block device for each LUN, in their order. */
  readonly files: readonly string[];
}

export interface MeasureRequest {
  readonly load: LoadShape;
  /** Of all LUNs together. */
  readonly diskBytes: number;
  readonly seconds: number;
  readonly placement: Placement;
  readonly signal: AbortSignal;
  /** What drives it instead of our own; for servers of iSCSI. */
  readonly generator?: Generator;
}

export type PeerSample = Omit<Sample, "round">;

/** Something that has been started and can be put under load. */
export interface RunningPeer {
  /** False once its process has ended. */
  isAlive(): boolean;
  /** Rejects with what the generator or the target says. */
  measure(request: MeasureRequest): Promise<PeerSample>;
  stop(): Promise<void>;
}

/** Something that is compared with, or that bounds what can be reached. */
export interface Peer {
  readonly name: string;
  readonly role: PeerRole;
  readonly protocol: Protocol;
  readonly generator: string;
  /** Its version in its own words, or why it cannot be started. */
  find(): Promise<{ readonly version: string } | { readonly absent: string }>;
  /** Why this load is none for it, or null. */
  objection(load: LoadShape): string | null;
  start(stage: Stage): Promise<RunningPeer>;
}
