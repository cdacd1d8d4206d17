/** What a Sentinel publishes, as events. Pure. Source: Redis Sentinel documentation, "Pub/Sub messages". */
import type { EventDraft } from './model.ts';

const MEANINGS: Readonly<Record<string, Pick<EventDraft, 'kind' | 'tone'>>> = {
  '+sdown': { kind: 'sdown', tone: 'warn' },
  '-sdown': { kind: 'back', tone: 'good' },
  '+odown': { kind: 'odown', tone: 'bad' },
  '-odown': { kind: 'back', tone: 'good' },
  '+new-epoch': { kind: 'epoch', tone: 'info' },
  '+vote-for-leader': { kind: 'vote', tone: 'info' },
  '+try-failover': { kind: 'election', tone: 'info' },
  '+elected-leader': { kind: 'election', tone: 'info' },
  '+promoted-slave': { kind: 'promoted', tone: 'good' },
  '+switch-master': { kind: 'promoted', tone: 'good' },
  '+failover-end': { kind: 'sentinel', tone: 'good' },
  '-failover-abort-not-elected': { kind: 'sentinel', tone: 'warn' },
  '-failover-abort-no-good-slave': { kind: 'sentinel', tone: 'bad' },
  '+reboot': { kind: 'restarted', tone: 'info' },
  '+tilt': { kind: 'sentinel', tone: 'bad' },
  '-tilt': { kind: 'sentinel', tone: 'good' },
};

/** The event that `sentinel` published on `channel`, in its own words. */
export function sentinelEvent(channel: string, payload: string, sentinel: string): EventDraft {
  const { kind, tone } = MEANINGS[channel] ?? { kind: 'sentinel', tone: 'info' };
  return {
    kind,
    tone,
    node: subjectOf(channel, payload),
    text: `${channel} ${payload} (Sentinel ${sentinel})`,
  };
}

/** `<type> <name> <ip> <port> …`; of a switch `<name> <old ip> <old port> <new ip> <new port>`. */
function subjectOf(channel: string, payload: string): string | undefined {
  const words = payload.split(' ');
  const at = channel === '+switch-master' ? 3 : 2;
  const [host, port] = [words[at], words[at + 1]];
  if (host === undefined || port === undefined || !/^\d+$/.test(port)) return undefined;
  return `${host}:${port}`;
}
