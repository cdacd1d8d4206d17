/** The data folder on disk: reading and writing what `layout.ts` describes, and the lock against a second launcher. */
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ToolError } from '../errors.ts';
import { isRunning } from '../process-owner.ts';
import {
  CONFIG_FILE,
  NODES_FILE,
  PID_FILE,
  RECORD_FILE,
  type UpRecord,
  directiveOf,
  formatRecord,
  nodeConfig,
  parseRecord,
} from './layout.ts';
import { type UpShape, isLoopback, nodePorts } from './options.ts';

export class DataFolder {
  /** Absolute. */
  readonly path: string;
  #isLocked = false;

  constructor(path: string) {
    this.path = resolve(path);
  }

  /** What an earlier start left; undefined in a new folder. */
  record(): UpRecord | undefined {
    const path = join(this.path, RECORD_FILE);
    return existsSync(path) ? parseRecord(readFileSync(path, 'utf8'), path) : undefined;
  }

  writeRecord(record: UpRecord): void {
    const path = join(this.path, RECORD_FILE);
    writeFileSync(`${path}.new`, formatRecord(record));
    renameSync(`${path}.new`, path);
  }

  nodeFolder(port: number): string {
    return join(this.path, String(port));
  }

  configFile(port: number): string {
    return join(this.nodeFolder(port), CONFIG_FILE);
  }

  /** Takes the folder for this process. Throws ToolError `LOCAL` while another launcher has it. */
  lock(): void {
    this.#attempt('make the data folder', () => mkdirSync(this.path, { recursive: true }));
    const path = join(this.path, PID_FILE);
    const owner = existsSync(path) ? Number(readFileSync(path, 'utf8')) : 0;
    if (isRunning(owner, 'up')) throw running(this.path, owner);
    rmSync(path, { force: true });
    this.#attempt('take the data folder', () =>
      writeFileSync(path, `${process.pid}\n`, { flag: 'wx' }),
    );
    this.#isLocked = true;
  }

  unlock(): void {
    if (this.#isLocked) rmSync(join(this.path, PID_FILE), { force: true });
    this.#isLocked = false;
  }

  /** Folders and redis.conf of all nodes. A cluster that was never finished loses its half-made nodes.conf files. */
  writeNodes(shape: UpShape, { isResumed }: { isResumed: boolean }): void {
    const password = this.password(shape);
    const isKnown = this.record() !== undefined;
    for (const port of nodePorts(shape)) {
      const dir = this.nodeFolder(port);
      if (!isKnown && existsSync(dir)) {
        throw new ToolError(
          'LOCAL',
          `Cannot use "${this.path}": it holds "${port}", which slotline up did not make; take another --dir`,
        );
      }
    }
    this.#attempt('write the data folder', () => {
      if (!isResumed) this.writeRecord({ shape, isCreated: false });
      for (const port of nodePorts(shape)) {
        const dir = this.nodeFolder(port);
        mkdirSync(dir, { recursive: true });
        if (!isResumed) rmSync(join(dir, NODES_FILE), { force: true });
        const path = this.configFile(port);
        const existing = existsSync(path) ? readFileSync(path, 'utf8') : undefined;
        const text = nodeConfig({ port, dir, shape, password }, existing);
        // It may hold a password.
        if (text !== existing) writeFileSync(path, text, { mode: 0o600 });
      }
    });
  }

  /**
   * The password of the nodes: the one their files have, else REDISCLI_AUTH where others can reach the nodes. Throws
   * ToolError `USAGE` when such a cluster has none.
   */
  password(shape: UpShape): string | undefined {
    const path = this.configFile(shape.port);
    const stored = existsSync(path)
      ? directiveOf(readFileSync(path, 'utf8'), 'requirepass')
      : undefined;
    if (stored !== undefined && stored !== '') return stored;
    if (isLoopback(shape.bind)) return undefined;
    const given = process.env['REDISCLI_AUTH'];
    if (given) return given;
    throw new ToolError(
      'USAGE',
      `Cannot start: --bind ${shape.bind} can be reached from other machines and needs a password, set REDISCLI_AUTH`,
    );
  }

  #attempt(action: string, body: () => void): void {
    try {
      body();
    } catch (error) {
      if (!(error instanceof Error) || !('code' in error)) throw error;
      throw new ToolError('LOCAL', `Cannot ${action} "${this.path}": ${error.message}`, error);
    }
  }
}

function running(path: string, pid: number): ToolError {
  const message = `Cannot start: the cluster in "${path}" is already running (process ${pid}); end that one first, or take another --dir`;
  return new ToolError('LOCAL', message);
}
