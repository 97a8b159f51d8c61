import type { Jobs } from "../jobs.ts";
import { type JobReport, OperationError, type ReplyOf } from "../protocol.ts";
import type { OperationContext, OperationRequest } from "./operation.ts";

function jobsOf({ jobs }: OperationContext): Jobs {
  if (jobs !== undefined) return jobs;
  throw new OperationError("missing", "there are no jobs without a daemon");
}

export async function listJobs({
  context,
}: OperationRequest<"job/list">): Promise<ReplyOf<"job/list">> {
  return Promise.resolve(context.jobs?.list() ?? []);
}

/** Errors: missing. */
export async function showJob({ context, body }: OperationRequest<"job/show">): Promise<JobReport> {
  return Promise.resolve(jobsOf(context).show(body.id));
}

/** Errors: missing, busy: it cannot stop half-way. */
export async function cancelJob({
  context,
  body,
}: OperationRequest<"job/cancel">): Promise<JobReport> {
  return Promise.resolve(jobsOf(context).cancel(body.id));
}
