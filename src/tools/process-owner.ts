/** Whose process a number in a lock file is. */
import { existsSync, readFileSync } from 'node:fs';

/** Whether process `pid`, not this one, lives and runs this program with the subcommand `word`. */
export function isRunning(pid: number, word: string): boolean {
  if (pid === process.pid || !(pid > 0)) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
  // Where the system tells what a process runs, ask it; elsewhere a living process counts.
  const commandLine = `/proc/${pid}/cmdline`;
  if (!existsSync(commandLine)) return true;
  const words = readFileSync(commandLine, 'utf8').split('\0');
  return words.includes(word) && words.some((each) => each.includes('slotline'));
}
