/** Makes a key of one side as it is on the other. */
import { ReplyError } from '../../resp/index.ts';
import { callOf } from './key-judge.ts';
import type { Side } from '../flow/index.ts';

/** Copies the key over, or removes it where the model has none. Answers why it could not, if so. */
export async function repairKey(model: Side, copy: Side, key: Buffer): Promise<string | undefined> {
  const [read, write] = [callOf(model, key), callOf(copy, key)];
  try {
    const [payload, expireAt] = await Promise.all([read('DUMP'), read('PEXPIRETIME')]);
    if (Buffer.isBuffer(payload)) {
      const expireAtUnixMs = Math.max(0, Number(expireAt));
      await write('RESTORE', expireAtUnixMs, payload, 'REPLACE', 'ABSTTL');
    } else {
      await write('UNLINK');
    }
    return undefined;
  } catch (error) {
    if (error instanceof ReplyError) return error.message;
    throw error;
  }
}
