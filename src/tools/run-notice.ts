/**
 * What a run that only reads the deployments, or copies from one to the other, leaves for watchers of the same user on
 * this machine: a small file in a folder of that user's, which goes when the run ends. Nothing is decided by it.
 */
import {
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { isRunning } from './process-owner.ts';
import type { Screen } from './screen.ts';

export interface Notice {
  readonly pid: number;
  /** The subcommand. */
  readonly word: string;
  /** `host:port` of nodes that it is about. */
  readonly nodes: readonly string[];
  /** One line for people. */
  readonly text: string;
  /** In [0, 1]; undefined when it cannot be told. */
  readonly progress?: number | undefined;
}

const ENDING = '.json';

export class RunNotice {
  readonly #word: string;
  readonly #screen: Screen;
  readonly #path: string;
  #isOff = false;

  /** `screen` hears when nothing can be left. */
  constructor(word: string, screen: Screen, folder: string = noticeFolder()) {
    this.#word = word;
    this.#screen = screen;
    this.#path = join(folder, `${process.pid}${ENDING}`);
    this.#try(() => mkdirSync(folder, { recursive: true, mode: 0o700 }));
    if (!isOurs(folder)) this.#isOff = true;
  }

  tell(said: Omit<Notice, 'pid' | 'word'>): void {
    const notice: Notice = { pid: process.pid, word: this.#word, ...said };
    this.#try(() => {
      writeFileSync(`${this.#path}.new`, JSON.stringify(notice));
      renameSync(`${this.#path}.new`, this.#path);
    });
  }

  end(): void {
    this.#try(() => rmSync(this.#path, { force: true }));
  }

  /** A full disk is no reason to end a run that does not need it. */
  #try(write: () => void): void {
    if (this.#isOff) return;
    try {
      write();
    } catch (error) {
      this.#isOff = true;
      this.#screen.note(`No watcher will see this run: ${(error as Error).message}`);
    }
  }
}

/** What runs that go on say about any of these nodes. */
export function noticesAbout(
  nodes: readonly string[],
  folder: string = noticeFolder(),
): readonly Notice[] {
  if (!isOurs(folder)) return [];
  const names = new Set(nodes.map(plainName));
  return readdirSync(folder)
    .filter((name) => name.endsWith(ENDING))
    .map((name) => readNotice(join(folder, name)))
    .filter((notice) => notice !== undefined)
    .filter((notice) => notice.nodes.some((node) => names.has(plainName(node))));
}

/** Undefined when it ended meanwhile; what a killed run left is removed. */
function readNotice(path: string): Notice | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  const notice = JSON.parse(text) as Notice;
  if (isRunning(notice.pid, notice.word)) return notice;
  rmSync(path, { force: true });
  return undefined;
}

function noticeFolder(): string {
  return join(tmpdir(), `slotline-runs-${userInfo().username}`);
}

/** Others could put one in the way where everybody may write. */
function isOurs(folder: string): boolean {
  const stats = lstatSync(folder, { throwIfNoEntry: false });
  if (stats?.isDirectory() !== true) return false;
  return process.getuid === undefined || stats.uid === process.getuid();
}

/** Sentinels stand behind the name of their master. */
function plainName(node: string): string {
  return node.replace(/^[^@]*@/, '').replace(/^localhost:/, '127.0.0.1:');
}
