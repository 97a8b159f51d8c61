#!/usr/bin/env node
/**
 * The way in. The thread pool of the process is as large as this variable says when it is first used, and loading an
 * ES module uses it: only a script that is no module comes before that. File systems answer late, and four threads,
 * the default, would all wait for one slow disk.
 */
process.env["UV_THREADPOOL_SIZE"] ??= "32";
void import("./thinlun.ts");
