/** The options that SET and GETEX share. */
import type { Request } from '../resp/index.ts';
import { EX, EXAT, PX, PXAT, type TimeForm } from './expire-time.ts';

export interface StringOptions {
  readonly onlyIf: 'absent' | 'present' | undefined;
  readonly isGet: boolean;
  readonly isKeepTtl: boolean;
  readonly isPersist: boolean;
  /** The expiry asked for: the argument that has the time, and its form. */
  readonly time: { readonly at: number; readonly form: TimeForm } | undefined;
}

/**
 * Options from argument `from` on; undefined for a syntax error. Each expiry option excludes the others; of the same
 * one twice the last time counts.
 */
export function parseStringOptions(
  request: Request,
  from: number,
  command: 'set' | 'getex',
): StringOptions | undefined {
  let onlyIf: StringOptions['onlyIf'];
  let isGet = false;
  let isKeepTtl = false;
  let isPersist = false;
  let time: StringOptions['time'];
  for (let i = from; i < request.argc; i++) {
    if (command === 'set' && request.is(i, 'nx') && onlyIf !== 'present') onlyIf = 'absent';
    else if (command === 'set' && request.is(i, 'xx') && onlyIf !== 'absent') onlyIf = 'present';
    else if (command === 'set' && request.is(i, 'get')) isGet = true;
    else if (command === 'set' && request.is(i, 'keepttl') && !isPersist && !time) isKeepTtl = true;
    else if (command === 'getex' && request.is(i, 'persist') && !time) isPersist = true;
    else {
      const form = timeForm(request, i);
      if (form === undefined || isKeepTtl || isPersist) return undefined;
      if ((time !== undefined && time.form !== form) || i + 1 === request.argc) return undefined;
      time = { at: ++i, form };
    }
  }
  return { onlyIf, isGet, isKeepTtl, isPersist, time };
}

function timeForm(request: Request, i: number): TimeForm | undefined {
  if (request.is(i, 'ex')) return EX;
  if (request.is(i, 'px')) return PX;
  if (request.is(i, 'exat')) return EXAT;
  if (request.is(i, 'pxat')) return PXAT;
  return undefined;
}
