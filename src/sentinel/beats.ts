/**
 * When what is sent by itself is due: at moments of the wall clock on which all Sentinels agree without a word. What five
 * of them say to a master at the same time reaches each of them in one packet instead of five, and one waking serves
 * many instances. Where clocks differ nothing but that is lost.
 */
import { type MonoMs, addMs, crc16 } from '../base/index.ts';
import type { SentinelContext } from './context.ts';
import type { Address, Beat } from './types.ts';

/** With a fifth of it the same work costs two fifths more: code and data are cold at each waking. */
const BEAT_MS = 500;
/** Beats in the time after which they repeat. */
const BEATS = 4;

/** The beat of an instance: the same for every Sentinel, different ones for different addresses. */
export function beatOf({ ip, port }: Address): Beat {
  const bytes = Buffer.from(`${ip}:${port}`, 'latin1');
  return crc16(bytes, 0, bytes.length) % BEATS;
}

/** The next moment of this beat, no sooner than after half a period. */
export function nextAt(c: SentinelContext, beat: Beat, periodMs: number): MonoMs {
  const earliest = c.now.unix + periodMs / 2;
  const wait = (beat * BEAT_MS - earliest) % periodMs;
  return addMs(c.now.mono, Math.ceil(periodMs / 2 + (wait < 0 ? wait + periodMs : wait)));
}
