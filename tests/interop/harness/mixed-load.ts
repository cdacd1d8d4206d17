/** Writes of every kind on a few hundred keys, one after the other, until it is stopped. */
import { seededRng } from '../../../src/base/index.ts';
import type { Send } from './samples.ts';

const KEYS = 200;

export class MixedLoad {
  readonly #send: Send;
  readonly #isOneSlotEach: boolean;
  readonly #rng = seededRng(7);
  readonly #work: Promise<void>;
  #isStopped = false;
  #count = 0;

  /** `isOneSlotEach`: no command has keys of several slots, and there are no transactions, as a cluster asks for. */
  constructor(send: Send, { isOneSlotEach }: { readonly isOneSlotEach: boolean }) {
    this.#send = send;
    this.#isOneSlotEach = isOneSlotEach;
    this.#work = this.#run();
  }

  get count(): number {
    return this.#count;
  }

  /** Waits until so many commands were answered. Throws what the load met. */
  async untilCount(count: number): Promise<void> {
    while (this.#count < count) {
      await Promise.race([this.#work, new Promise((resolve) => setTimeout(resolve, 5))]);
    }
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#work;
  }

  async #run(): Promise<void> {
    while (!this.#isStopped) {
      await this.#one();
      this.#count++;
    }
  }

  async #one(): Promise<void> {
    const n = this.#rng.below(KEYS);
    const value = `value ${this.#count}`;
    switch (this.#rng.below(this.#isOneSlotEach ? 12 : 16)) {
      case 0:
        await this.#send('SET', `load:string:${n}`, value);
        return;
      case 1:
        await this.#send('INCRBY', `load:number:${n}`, n);
        return;
      case 2:
        await this.#send('RPUSH', `load:list:${n}`, value);
        return;
      case 3:
        await this.#send('LPOP', `load:list:${n}`);
        return;
      case 4:
        await this.#send('HSET', `load:hash:${n}`, `f${this.#count % 9}`, value);
        return;
      case 5:
        await this.#send('SADD', `load:set:${n}`, value);
        return;
      case 6:
        await this.#send('SPOP', `load:set:${n}`);
        return;
      case 7:
        await this.#send('ZINCRBY', `load:zset:${n}`, 1.5, `m${this.#count % 7}`);
        return;
      case 8:
        await this.#send('XADD', `load:stream:${n}`, 'MAXLEN', 20, '*', 'f', value);
        return;
      case 9:
        await this.#send('PEXPIRE', `load:string:${n}`, 50_000 + n);
        return;
      case 10:
        await this.#send('DEL', `load:string:${n}`);
        return;
      case 11:
        await this.#send('SET', `load:soon:${n}`, value, 'PX', 30);
        return;
      case 12:
        await this.#send('MSET', `load:m1:${n}`, value, `load:m2:${n}`, value);
        return;
      case 13:
        await this.#send('DEL', `load:m1:${n}`, `load:list:${n}`, `load:zset:${n}`);
        return;
      case 14:
        await this.#transaction([`load:t1:${n}`, `load:t2:${n}`], value);
        return;
      default:
        await this.#transaction([`load:{${n}}:1`, `load:{${n}}:2`], value);
    }
  }

  async #transaction(keys: readonly string[], value: string): Promise<void> {
    await this.#send('MULTI');
    for (const key of keys) await this.#send('APPEND', key, value);
    await this.#send('EXEC');
  }
}
