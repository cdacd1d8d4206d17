/** The program with the subcommands, run as it is installed. */
import { type ChildProcess, spawn } from 'node:child_process';
import { SLOTLINE } from './programs.ts';

export interface Run {
  readonly status: number | null;
  readonly out: string;
  readonly err: string;
}

/** `slotline cluster` with `args`, to its end. */
export function slotline(...args: readonly string[]): Promise<Run> {
  return startSlotline(...args).ended;
}

/** `slotline cluster` with `args`, as a process that can be signalled. */
export function startSlotline(...args: readonly string[]): {
  readonly child: ChildProcess;
  readonly ended: Promise<Run>;
} {
  const child = spawn(process.execPath, [SLOTLINE, 'cluster', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
  const ended = new Promise<Run>((resolve) =>
    child.on('close', (status) => resolve({ status, out, err })),
  );
  return { child, ended };
}
