/**
 * A lock against two operators who change one cluster at the same time: a key in the cluster itself that expires, so that
 * a tool that died holds nobody up for long. It is held by whoever wrote the token that stands in it.
 */
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { ClientError, ClusterClient, type NodeAddress, replyText } from '../../client/index.ts';
import { type Reply, ReplyError } from '../../resp/index.ts';
import { ToolError } from '../errors.ts';
import type { ClusterReport } from './inspect.ts';

/** The key that is the lock, no data of the user's. */
export const LOCK_KEY = 'slotline:cluster:lock';
/** How long a lock outlives its tool. */
const LOCK_TTL_MS = 15_000;
const RENEWAL_MS = 4000;
const TTL = ['PX', LOCK_TTL_MS] as const;
const REPLY_BOUND_MS = 5000;

/** A step that answers what stood in the key before: as a command, and as a script for nodes before Redis 7 and 6.2. */
interface LockStep {
  readonly command: (token: string) => readonly (string | number)[];
  readonly script: string;
}

/** Writes the token where none is. */
const TAKE: LockStep = {
  command: (token) => ['SET', LOCK_KEY, token, 'NX', 'GET', ...TTL],
  script: `local h=redis.call('GET',KEYS[1])
if not h then redis.call('SET',KEYS[1],ARGV[1],'PX',ARGV[2]) end
return h`,
};
/** Writes the token where one is. */
const EXCHANGE: LockStep = {
  command: (token) => ['SET', LOCK_KEY, token, 'XX', 'GET', ...TTL],
  script: `local h=redis.call('GET',KEYS[1])
if h then redis.call('SET',KEYS[1],ARGV[1],'PX',ARGV[2]) end
return h`,
};
/** Lets what is there live on. */
const EXTEND: LockStep = {
  command: () => ['GETEX', LOCK_KEY, ...TTL],
  script: `local h=redis.call('GET',KEYS[1])
if h then redis.call('PEXPIRE',KEYS[1],ARGV[2]) end
return h`,
};
const NOT_KNOWN = /syntax error|unknown command/i;
const TRIES_MAX = 10;

export class ClusterLock {
  readonly #client: ClusterClient;
  readonly #token: string;
  readonly #onLost: () => void;
  #timer: NodeJS.Timeout | undefined;
  #heldUntilMs: number;

  private constructor(client: ClusterClient, token: string, onLost: () => void) {
    this.#client = client;
    this.#token = token;
    this.#onLost = onLost;
    this.#heldUntilMs = performance.now() + LOCK_TTL_MS;
    this.#timer = setTimeout(() => void this.#renew(), RENEWAL_MS);
  }

  /**
   * Takes the lock for `verb`. Undefined when the cluster takes no writes for its slot now: it may be what is to be
   * mended. `onLost` is called when somebody else has it after all. Throws ToolError `LOCKED` that names the holder.
   */
  static async take(
    report: ClusterReport,
    verb: string,
    onLost: () => void,
  ): Promise<ClusterLock | undefined> {
    const token = `${verb} on ${hostname()}, process ${process.pid} ${randomUUID()}`;
    let client: ClusterClient | undefined;
    try {
      client = await ClusterClient.connect({
        seeds: seedsOf(report),
        timeoutMs: REPLY_BOUND_MS,
        triesMax: TRIES_MAX,
      });
      const holder = await carryOut(client, TAKE, token);
      const isTaken = holder === null || (await inherits(client, replyText(holder), token));
      if (isTaken) return new ClusterLock(client, token, onLost);
      client.close();
      throw lockedBy(replyText(holder));
    } catch (error) {
      if (!(error instanceof ClientError) && !(error instanceof ReplyError)) throw error;
      client?.close();
      return undefined;
    }
  }

  /** Gives the lock back. */
  async release(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    try {
      // Extending it first leaves no moment in which it could become another's before it is deleted.
      if (await this.#extend()) await this.#client.call(LOCK_KEY, 'DEL', LOCK_KEY);
    } catch (error) {
      // It expires by itself.
      if (!(error instanceof ClientError) && !(error instanceof ReplyError)) throw error;
    } finally {
      this.#client.close();
    }
  }

  async #extend(): Promise<boolean> {
    const sentMs = performance.now();
    const holder = await carryOut(this.#client, EXTEND);
    const isOurs = replyText(holder) === this.#token;
    if (isOurs) this.#heldUntilMs = sentMs + LOCK_TTL_MS;
    return isOurs;
  }

  async #renew(): Promise<void> {
    let isOurs = true;
    try {
      isOurs = await this.#extend();
    } catch (error) {
      if (!(error instanceof ClientError) && !(error instanceof ReplyError)) throw error;
      // A failover is under way perhaps: the next renewal may still be in time.
    }
    if (this.#timer === undefined) return;
    if (!isOurs || performance.now() > this.#heldUntilMs) this.#onLost();
    else this.#timer = setTimeout(() => void this.#renew(), RENEWAL_MS);
  }
}

async function carryOut(
  client: ClusterClient,
  { command, script }: LockStep,
  token: string = '',
): Promise<Reply> {
  try {
    return await client.call(LOCK_KEY, ...command(token));
  } catch (error) {
    if (!(error instanceof ReplyError) || !NOT_KNOWN.test(error.message)) throw error;
    return client.call(LOCK_KEY, 'EVAL', script, 1, LOCK_KEY, token, LOCK_TTL_MS);
  }
}

/** Takes the lock over from a tool of this machine that was killed: it cannot give it back. */
async function inherits(client: ClusterClient, holder: string, token: string): Promise<boolean> {
  const match = / on (\S+), process (\d+) /.exec(holder);
  if (match?.[1] !== hostname() || isProcess(Number(match[2]))) return false;
  const before = await carryOut(client, EXCHANGE, token);
  if (replyText(before) === holder) return true;
  // Somebody else inherited it in between, and keeps it.
  await client.call(LOCK_KEY, 'SET', LOCK_KEY, replyText(before), 'XX', ...TTL);
  return false;
}

function isProcess(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

/** Every node that answers: the one that was asked first may be the one that goes. */
function seedsOf(report: ClusterReport): NodeAddress[] {
  return report.nodes
    .filter(({ own }) => own !== undefined)
    .map(({ node }) => ({ ...report.address, host: node.host, port: node.port }));
}

function lockedBy(token: string): ToolError {
  const holder = token.replace(/ \S+$/, '');
  return new ToolError(
    'LOCKED',
    `Another operator changes this cluster: ${holder}; wait for it, its lock ends ${LOCK_TTL_MS / 1000} s after its tool`,
  );
}
