/** Fields of INFO commandstats, errorstats and latencystats. Source: INFO of redis-server 7.0.15. */
import type { InfoFields } from './info-fields.ts';
import type { Server } from './server.ts';

/** Calls and time of every command that was called or refused. */
export function commandStats(server: Server): InfoFields {
  return server.table
    .each()
    .filter(({ counters }) => counters.calls + counters.rejectedCalls + counters.failedCalls > 0)
    .map(({ fullName, counters }) => {
      const { calls, microseconds, rejectedCalls, failedCalls } = counters;
      const usec = Math.round(microseconds);
      const perCall = (calls === 0 ? 0 : usec / calls).toFixed(2);
      return [
        `cmdstat_${fullName}`,
        `calls=${calls},usec=${usec},usec_per_call=${perCall},` +
          `rejected_calls=${rejectedCalls},failed_calls=${failedCalls}`,
      ];
    });
}

/** Error replies by code. */
export function errorStats(server: Server): InfoFields {
  const codes = [...server.stats.errors.entries()].sort(([a], [b]) => (a < b ? -1 : 1));
  return codes.map(([code, count]) => [`errorstat_${code}`, `count=${count}`]);
}

/** Percentiles of the duration of every command that was called, microseconds. */
export function latencyStats(server: Server): InfoFields {
  const percentiles = server.settings['latency-tracking-info-percentiles'];
  if (percentiles.length === 0) return [];
  return server.table.each().flatMap((command) => {
    const histogram = command.durations;
    if (histogram === undefined) return [];
    const values = percentiles.map(
      (percent) => `p${percent}=${histogram.percentileUs(percent).toFixed(3)}`,
    );
    return [[`latency_percentiles_usec_${command.fullName}`, values.join(',')] as const];
  });
}
