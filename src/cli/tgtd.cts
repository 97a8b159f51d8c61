#!/usr/bin/env node
/** As for thinlun.cts: the thread pool has its size from here, or the default. */
process.env["UV_THREADPOOL_SIZE"] ??= "32";
void import("./tgt/tgtd/main.ts");
