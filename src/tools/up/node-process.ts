/** One node as a child process: started, watched, ended. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { LOG_FILE } from './layout.ts';

export interface NodeProcessOptions {
  /** Program and its first arguments; the configuration file follows. */
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly port: number;
  readonly dir: string;
  readonly configFile: string;
}

/** How a process ended. */
export interface Ending {
  readonly code: number | undefined;
  readonly signal: string | undefined;
  /** The program could not be started at all. */
  readonly error: Error | undefined;
}

/** Lines of a log that explain why a node ended. */
const LOG_LINES = 3;

export class NodeProcess {
  readonly port: number;
  readonly #options: NodeProcessOptions;
  readonly #child: ChildProcess;
  #ending: Ending | undefined;
  /** Resolves when the process has ended, for whatever reason. */
  readonly ended: Promise<Ending>;

  constructor(options: NodeProcessOptions) {
    this.port = options.port;
    this.#options = options;
    const [, ...args] = options.command;
    const log = openSync(this.logFile, 'a');
    // A process group of its own: Ctrl-C in the terminal reaches the launcher alone, which ends the nodes in order.
    this.#child = spawn(this.program, [...args, options.configFile], {
      cwd: options.dir,
      env: { ...options.environment, ...process.env },
      detached: true,
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    this.ended = new Promise((resolve) => {
      const settle = (ending: Ending): void => {
        this.#ending ??= ending;
        resolve(this.#ending);
      };
      this.#child.once('error', (error) => settle({ code: undefined, signal: undefined, error }));
      this.#child.once('exit', (code, signal) =>
        settle({ code: code ?? undefined, signal: signal ?? undefined, error: undefined }),
      );
    });
  }

  get program(): string {
    return this.#options.command[0] ?? process.execPath;
  }

  get logFile(): string {
    return join(this.#options.dir, LOG_FILE);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Undefined while the process runs. */
  get ending(): Ending | undefined {
    return this.#ending;
  }

  /** SIGTERM, and SIGKILL when the process is still there after `boundMs`; resolves when it is gone. */
  async end(boundMs: number): Promise<void> {
    if (this.#ending !== undefined) return;
    this.#child.kill('SIGTERM');
    // A node that was stopped with SIGSTOP takes the signal only when it runs again.
    this.#child.kill('SIGCONT');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), boundMs);
    await this.ended;
    clearTimeout(timer);
  }

  /** SIGKILL, without waiting. */
  kill(): void {
    if (this.#ending === undefined) this.#child.kill('SIGKILL');
  }

  /** The last words of the node, one line. */
  lastWords(): string {
    const lines = readFileSync(this.logFile, 'utf8').trim().split('\n');
    return lines.slice(-LOG_LINES).join(' | ');
  }
}

/** `SIGKILL`, `exit code 1`, or why it could not be started. */
export function describeEnding({ code, signal, error }: Ending): string {
  if (error !== undefined) return error.message;
  return signal ?? `exit code ${code ?? 0}`;
}
