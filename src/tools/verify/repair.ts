/** Makes a key of one side as it is on the other. */
import { ReplyError } from '../../resp/index.ts';
import {
  type Abilities,
  PayloadFitter,
  type Side,
  ask,
  expiryQuestion,
  putPayload,
} from '../flow/index.ts';
import { callOf } from './key-judge.ts';

/** A side and what it can be asked. */
export interface RepairSide extends Side {
  readonly abilities: Abilities;
}

/** Copies the key over, or removes it where the model has none. Answers why it could not, if so. */
export async function repairKey(
  model: RepairSide,
  copy: RepairSide,
  key: Buffer,
): Promise<string | undefined> {
  const [read, write] = [callOf(model, key), callOf(copy, key)];
  try {
    const payload = await read('DUMP');
    if (!Buffer.isBuffer(payload)) {
      await write(copy.abilities.unlink);
      return undefined;
    }
    const fitted = new PayloadFitter(copy.abilities, 'refuse').fitPayload(payload);
    if (!Buffer.isBuffer(fitted)) return fitted.reason;
    const expireAtUnixMs = await expiryOf(model, key);
    const put = { db: copy.db, name: key, payload: fitted, expireAtUnixMs };
    await putPayload(copy.deployment, copy.abilities, put);
    return undefined;
  } catch (error) {
    if (error instanceof ReplyError) return error.message;
    throw error;
  }
}

async function expiryOf(side: RepairSide, key: Buffer): Promise<number> {
  const question = expiryQuestion(side.abilities);
  const answers = await ask(side, {
    batch: { buf: key, at: [0], size: [key.length] },
    keys: [0],
    perKey: question.replyCount,
    write: (out, batch, index) => question.write(out, batch, index),
  });
  return question.unixMs(answers, 0, 0);
}
