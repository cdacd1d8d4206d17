/** The user's own commands: how nodes are restarted, killed and started on their machines. */
import { spawn } from 'node:child_process';
import { ToolError } from './errors.ts';

/** What stands for a node in a command: `{host}`, `{port}`, `{id}` and, where it is known, `{pid}`. */
export interface CommandFacts {
  readonly host: string;
  readonly port: number;
  readonly id: string;
  readonly pid?: string | undefined;
}

/** The command for one node. */
export function commandFor(command: string, { host, port, id, pid }: CommandFacts): string {
  return command
    .replaceAll('{host}', host)
    .replaceAll('{port}', String(port))
    .replaceAll('{id}', id)
    .replaceAll('{pid}', pid ?? '{pid}');
}

/** Runs a command of the user's shell. Throws ToolError `LOCAL` with its end when it fails. */
export function runCommand(command: string, timeoutMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, { shell: true, stdio: ['ignore', 'ignore', 'inherit'] });
    const timer = setTimeout(() => child.kill(), timeoutMs);
    child.on('error', (error) => {
      clearTimeout(timer);
      reject(new ToolError('LOCAL', `Cannot run "${command}": ${error.message}`, error));
    });
    child.on('exit', (status, signal) => {
      clearTimeout(timer);
      if (status === 0) resolve();
      else {
        const end = status === null ? `by ${signal ?? 'a signal'}` : `with status ${status}`;
        reject(new ToolError('LOCAL', `"${command}" ended ${end}`));
      }
    });
  });
}
