/** As Node.js names asynchronous calls of the file system that have not come back. */
const FILE_CALL = /^FSReq/;

/**
 * Ends this process at once, whatever hangs: for a defect, or for an administrator who will not wait. `process.exit` waits
 * for the threads of the pool (uv_library_shutdown). One of those that is stuck on a disk would keep a dead daemon in
 * memory for ever, with its sockets open, so that initiators wait instead of taking another path. With such calls out,
 * the exit status is the one of SIGKILL.
 */
export function endProcess(status: number, lastWords: () => void): never {
  // Looked at first: the last words may be such a call themselves.
  const mayHang = process.getActiveResourcesInfo().some((name) => FILE_CALL.test(name));
  lastWords();
  if (mayHang) process.kill(process.pid, "SIGKILL");
  process.exit(status);
}
