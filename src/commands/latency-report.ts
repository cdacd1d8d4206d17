/** What LATENCY DOCTOR says, in the words of redis-server 7.0.15. */
import type { LatencyEvent } from './latency-monitor.ts';
import type { Server } from './server.ts';

const DISABLED =
  "I'm sorry, Dave, I can't do that. Latency monitoring is disabled in this Redis instance. You may use " +
  '"CONFIG SET latency-monitor-threshold <milliseconds>." in order to enable it. If we weren\'t in a deep ' +
  "space mission I'd suggest to take a look at https://redis.io/topics/latency-monitor.\n";
const NOTHING_SEEN =
  'Dave, no latency spike was observed during the lifetime of this Redis instance, not in the slightest ' +
  'bit. I honestly think you ought to sit down calmly, take a stress pill, and think things over.\n';
const GREETING =
  "Dave, I have observed latency spikes in this Redis instance. You don't mind talking about it, do you Dave?\n\n";
const ADVICE_HEAD = '\nI have a few advices for you:\n\n';
const CHECK_SLOW_LOG =
  '- Check your Slow Log to understand what are the commands you are running which are too slow to execute. ' +
  'Please check https://redis.io/commands/slowlog for more information.\n';
const LARGE_OBJECTS =
  '- Deleting, expiring or evicting (because of maxmemory policy) large objects is a blocking operation. ' +
  'If you have very large objects that are often deleted, expired, or evicted, try to fragment those objects ' +
  'into multiple smaller objects.\n';

/** The report on all events. */
export function latencyReport(server: Server): string {
  const events = [...server.latency.events()].filter(({ samples }) => samples.length > 0);
  if (events.length === 0) return server.latency.isMonitoring ? NOTHING_SEEN : DISABLED;
  const now = Math.floor(server.unixNow / 1000);
  const lines = events.map((event, index) => `${index + 1}. ${describe(event, now)}`);
  const advice = adviceFor(server, events);
  return `${GREETING}${lines.join('')}${advice === '' ? '' : ADVICE_HEAD + advice}`;
}

function describe({ name, samples, maxMs }: LatencyEvent, now: number): string {
  const total = samples.reduce((sum, { ms }) => sum + ms, 0);
  const average = Math.floor(total / samples.length);
  const deviations = samples.reduce((sum, { ms }) => sum + Math.abs(ms - average), 0);
  const deviation = Math.floor(deviations / samples.length);
  const period = (now - (samples[0]?.unixSeconds ?? now)) / samples.length;
  return (
    `${name}: ${samples.length} latency spikes (average ${average}ms, mean deviation ${deviation}ms, ` +
    `period ${period.toFixed(2)} sec). Worst all time event ${maxMs}ms.\n`
  );
}

function adviceFor(server: Server, events: readonly LatencyEvent[]): string {
  if (!events.some(({ name }) => name === 'command')) return '';
  const { settings } = server;
  const thresholdUs = settings['latency-monitor-threshold'] * 1000;
  const slowerThan = settings['slowlog-log-slower-than'];
  let advice = '';
  if (slowerThan < 0) {
    advice +=
      '- There are latency issues with potentially slow commands you are using. Try to enable the Slow Log ' +
      `Redis feature using the command 'CONFIG SET slowlog-log-slower-than ${thresholdUs}'. If the Slow log ` +
      'is disabled Redis is not able to log slow commands execution for you.\n';
  } else if (slowerThan > thresholdUs && thresholdUs > 0) {
    advice +=
      '- Your current Slow Log configuration only logs events that are slower than your configured latency ' +
      `monitor threshold. Please use 'CONFIG SET slowlog-log-slower-than ${thresholdUs}'.\n`;
  }
  return `${advice}${CHECK_SLOW_LOG}${LARGE_OBJECTS}`;
}
