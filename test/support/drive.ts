/** Takes step after step until the work has ended, one way or the other. */
export async function drive<Result>(
  work: Promise<Result>,
  step: () => Promise<void>,
): Promise<Result> {
  let isDone = false;
  const watched = work.finally(() => {
    isDone = true;
  });
  // It is looked at below.
  watched.catch(() => undefined);
  while (!isDone) await step();
  return watched;
}
