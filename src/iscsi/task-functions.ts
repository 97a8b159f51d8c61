import { serialLess } from "../util/serial-number.ts";
import { decodeLun } from "../scsi/lun.ts";
import { TaskManagementFunction, TaskManagementResponse } from "../scsi/task-management.ts";
import type { CommandSequence } from "./command-sequence.ts";
import type { FullFeatureLink } from "./full-feature-link.ts";
import { IMMEDIATE_TASKS_MAX } from "./limits.ts";
import {
  decodeTaskManagementRequest,
  encodeTaskManagementResponse,
} from "./pdu/task-management.ts";
import type { Session } from "./session.ts";

/** Task management functions of one session, RFC 7143 11.5 and 11.6. */
export class TaskFunctions {
  readonly #link: FullFeatureLink;
  readonly #session: Session;
  readonly #sequence: CommandSequence;
  /** Functions that wait for aborted tasks to end. */
  #functionCount = 0;

  constructor(link: FullFeatureLink, session: Session, sequence: CommandSequence) {
    this.#link = link;
    this.#session = session;
    this.#sequence = sequence;
  }

  /** A function request whose turn it is. It is answered when all that it promises is true. */
  onRequest(bytes: Buffer, base: number): void {
    const session = this.#session;
    const link = this.#link;
    const request = decodeTaskManagementRequest(bytes, base);
    const { initiatorTaskTag, functionCode, referencedTaskTag } = request;
    const rejected = this.#functionCount >= IMMEDIATE_TASKS_MAX;
    this.#functionCount += 1;
    const answer = (response: number): void => {
      this.#functionCount -= 1;
      if (!link.live) return;
      const at = link.sendQueue.reserve(0);
      encodeTaskManagementResponse(link.sendQueue.buffer, at, initiatorTaskTag, response);
      link.commitStatus(at);
      if (functionCode === TaskManagementFunction.targetColdReset && !rejected) link.coldReset();
    };
    if (rejected) {
      answer(TaskManagementResponse.functionRejected);
      return;
    }
    if (
      functionCode === TaskManagementFunction.abortTask &&
      !session.tasks.has(referencedTaskTag) &&
      serialLess(request.refCmdSn, request.cmdSn) &&
      this.#sequence.countAsReceived(request.refCmdSn)
    ) {
      // RFC 7143 11.6.1: the command was on its way, and is now considered received and aborted.
      answer(TaskManagementResponse.functionComplete);
      return;
    }
    const lun = decodeLun(request.lun, 0);
    if (this.#forgetAnswered(functionCode, lun, referencedTaskTag)) {
      answer(TaskManagementResponse.functionComplete);
      return;
    }
    session.target.device.manage(
      { nexus: session.nexus, function: functionCode, lun, tag: referencedTaskTag },
      answer,
    );
  }

  /**
   * Tasks of this session that wait for data before they are answered: they are aborted here. True when that was all
   * that the function asks for.
   */
  #forgetAnswered(functionCode: number, lun: number, tag: number): boolean {
    switch (functionCode) {
      case TaskManagementFunction.abortTask:
        return this.#session.forgetAnswered((task) => task.tag === tag) !== 0;
      case TaskManagementFunction.abortTaskSet:
      case TaskManagementFunction.clearTaskSet:
      case TaskManagementFunction.logicalUnitReset:
        this.#session.forgetAnswered((task) => task.lun === lun);
        return false;
      case TaskManagementFunction.targetWarmReset:
      case TaskManagementFunction.targetColdReset:
        this.#session.forgetAnswered(() => true);
        return false;
      default:
        return false;
    }
  }
}
