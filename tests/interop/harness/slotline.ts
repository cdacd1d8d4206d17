/** Runs the program with the subcommands and gathers what it says. */
import { type ChildProcess, spawn } from 'node:child_process';
import { SLOTLINE } from './programs.ts';

export interface RunResult {
  /** Undefined when a signal ended it. */
  readonly status: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly child: ChildProcess;
  readonly result: Promise<RunResult>;
  /** What it has said so far. */
  stderr(): string;
  stdout(): string;
}

const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** Starts `slotline` with these arguments; it does not outlive the tests, however they end. */
export function startSlotline(...args: readonly string[]): Running {
  return startProgram(SLOTLINE, ...args);
}

/** The same with a program of the tests in front. */
export function startProgram(file: string, ...args: readonly string[]): Running {
  const child = spawn(process.execPath, [file, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  running.add(child);
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const result = new Promise<RunResult>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      running.delete(child);
      resolve({ status: code ?? undefined, stdout, stderr });
    });
  });
  return { child, result, stdout: () => stdout, stderr: () => stderr };
}

export function runSlotline(...args: readonly string[]): Promise<RunResult> {
  return startSlotline(...args).result;
}
