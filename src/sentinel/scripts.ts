/**
 * Programs of the user that hear of events. They run beside, at most sixteen at once; one that fails for the moment is
 * tried again later. Source: Redis's sentinel.conf, "SCRIPTS EXECUTION".
 */
import { type MonoMs, addMs, earlier } from '../base/index.ts';
import type { SentinelContext } from './context.ts';
import type { Address, Master } from './types.ts';

const RUNNING_MAX = 16;
const ATTEMPTS_MAX = 10;
/** Exit code that asks for another attempt; greater ones do not. */
const TRY_AGAIN = 1;

/** Tells the master's reconfiguration script that clients should turn to another address. */
export function announceChange(
  c: SentinelContext,
  master: Master,
  change: { readonly as: 'leader' | 'observer'; readonly from: Address; readonly to: Address },
): void {
  const path = master.settings.clientReconfigScript;
  if (path === '') return;
  const { as, from, to } = change;
  const [fromHost, toHost] = [c.announced(from), c.announced(to)];
  const addresses = [fromHost, String(from.port), toHost, String(to.port)];
  c.schedule(path, [master.name, as, 'start', ...addresses]);
}

/** Starts what is due, and ends what runs for too long. */
export function runScripts(c: SentinelContext): void {
  let running = runningScripts(c);
  for (const script of c.scripts) {
    if (script.startedAt !== undefined) {
      if (script.isKilled || c.since(script.startedAt) <= c.periods.scriptMaxRuntime) continue;
      script.isKilled = true;
      c.tell('warning', '-script-timeout', `${script.path} ${script.id}`);
      c.do({ kind: 'killScript', id: script.id });
    } else if (running < RUNNING_MAX && c.now.mono >= script.notBefore) {
      running++;
      script.startedAt = c.now.mono;
      script.attempts++;
      c.tell('debug', '+script-child', String(script.id));
      c.do({ kind: 'runScript', id: script.id, path: script.path, args: script.args });
    }
  }
}

export function scriptEnded(c: SentinelContext, id: number, exitCode: number | undefined): void {
  const index = c.scripts.findIndex((script) => script.id === id);
  const script = c.scripts[index];
  if (script === undefined) return;
  const isTemporary = exitCode === undefined || exitCode === TRY_AGAIN;
  if (isTemporary && script.attempts < ATTEMPTS_MAX) {
    script.startedAt = undefined;
    script.isKilled = false;
    script.notBefore = addMs(c.now.mono, c.periods.scriptRetryDelay * 2 ** (script.attempts - 1));
    return;
  }
  if (exitCode !== 0) {
    const signal = exitCode === undefined ? 1 : 0;
    c.tell('warning', '-script-error', `${script.path} ${signal} ${exitCode ?? 0}`);
  }
  c.scripts.splice(index, 1);
}

export function runningScripts(c: SentinelContext): number {
  return c.scripts.filter((script) => script.startedAt !== undefined).length;
}

export function scriptsWake(c: SentinelContext): MonoMs | undefined {
  let wake: MonoMs | undefined;
  for (const { startedAt, notBefore } of c.scripts) {
    wake = earlier(wake, startedAt === undefined ? notBefore : undefined);
  }
  return wake;
}
