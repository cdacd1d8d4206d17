/** A file of lines. */
import { closeSync, openSync, renameSync, writeSync } from 'node:fs';
import { ToolError } from '../errors.ts';

const PART_BYTES = 64 * 1024;

/** A file that is there only once it is whole. */
export class TextFile {
  readonly #path: string;
  readonly #fd: number;
  #lines: string[] = [];
  #size = 0;

  constructor(path: string) {
    this.#path = path;
    try {
      this.#fd = openSync(`${path}.part`, 'w');
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new ToolError('LOCAL', `Cannot write the results to "${path}": ${reason}`, error);
    }
  }

  line(text: string): void {
    this.#lines.push(text, '\n');
    this.#size += text.length;
    if (this.#size >= PART_BYTES) this.#flush();
  }

  end(): void {
    this.#flush();
    closeSync(this.#fd);
    renameSync(`${this.#path}.part`, this.#path);
  }

  #flush(): void {
    writeSync(this.#fd, this.#lines.join(''));
    this.#lines = [];
    this.#size = 0;
  }
}
