/**
 * Expiry times in the stream while it is behind. A key whose time has passed by now may have been renewed by a command
 * that comes later; a master as target would drop it before. So near times are shifted as those of the snapshot are.
 */
import type { Request } from '../../resp/index.ts';
import type { DeferredExpiry } from './deferred-expiry.ts';

interface ExpiryPlace {
  /** Index of the argument that is the time, and of the word before it that says its unit, if one does. */
  readonly time: number;
  readonly word: number;
  readonly isSeconds: boolean;
}

/** The command with a shifted time; undefined where it has none that is near. `name` in lower case; its key is the first argument. */
export function withoutNearExpiry(
  name: string,
  request: Request,
  deferred: DeferredExpiry,
): (Buffer | string)[] | undefined {
  const place = placeOf(name, request);
  if (place === undefined) return undefined;
  const { time, word, isSeconds } = place;
  const atUnixMs = Number(request.text(time)) * (isSeconds ? 1000 : 1);
  const shifted = deferred.expiryFor(atUnixMs);
  if (!(atUnixMs > 0) || shifted === atUnixMs) return undefined;
  const args: (Buffer | string)[] = Array.from({ length: request.argc }, (_, i) => request.copy(i));
  args[time] = String(shifted);
  if (isSeconds) args[word] = word === 0 ? 'PEXPIREAT' : 'PXAT';
  return args;
}

function placeOf(name: string, request: Request): ExpiryPlace | undefined {
  switch (name) {
    case 'pexpireat':
    case 'expireat':
      return request.argc < 3 ? undefined : { time: 2, word: 0, isSeconds: name === 'expireat' };
    case 'restore':
    case 'restore-asking':
      return hasWord(request, 'absttl') ? { time: 2, word: 0, isSeconds: false } : undefined;
    case 'set':
      for (let word = 3; word + 1 < request.argc; word++) {
        const isSeconds = request.is(word, 'exat');
        if (isSeconds || request.is(word, 'pxat')) return { time: word + 1, word, isSeconds };
      }
      return undefined;
    default:
      return undefined;
  }
}

function hasWord(request: Request, word: string): boolean {
  for (let i = 4; i < request.argc; i++) if (request.is(i, word)) return true;
  return false;
}
