/** Puts a value in the place of whatever a deployment has under its key. */
import type { Deployment } from '../../client/index.ts';
import type { Abilities } from './abilities.ts';

export interface PutKey {
  readonly db: number;
  readonly name: Buffer;
  /** One that suits it. */
  readonly payload: Buffer;
  /** 0 or less for a key that stays. */
  readonly expireAtUnixMs: number;
}

/** Rejects as `Deployment.call` does. */
export async function putPayload(
  deployment: Deployment,
  abilities: Pick<Abilities, 'hasAbsoluteTtl'>,
  { db, name, payload, expireAtUnixMs }: PutKey,
): Promise<void> {
  const at = Math.max(0, expireAtUnixMs);
  if (abilities.hasAbsoluteTtl) {
    await deployment.call(db, name, 'RESTORE', name, at, payload, 'REPLACE', 'ABSTTL');
    return;
  }
  await deployment.call(db, name, 'RESTORE', name, 0, payload, 'REPLACE');
  if (at > 0) await deployment.call(db, name, 'PEXPIREAT', name, at);
}
