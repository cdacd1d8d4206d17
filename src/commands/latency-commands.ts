/** LATENCY: spikes by event and durations by command. Source: behaviour of redis-server 7.0.15. */
import { upToZero } from '../base/index.ts';
import type { ReplyWriter, Request } from '../resp/index.ts';
import type { Context } from './context.ts';
import { helpHandler } from './help.ts';
import { latencyReport } from './latency-report.ts';
import { sparkline } from './sparkline.ts';
import type { Handler } from './spec.ts';
import type { Command } from './table.ts';

const RULE_WIDTH = 80;

function history({ server }: Context, request: Request, reply: ReplyWriter): void {
  const samples = server.latency.event(request.text(2))?.samples ?? [];
  reply.array(samples.length);
  for (const { unixSeconds, ms } of samples) {
    reply.array(2);
    reply.int(unixSeconds);
    reply.int(ms);
  }
}

function latest({ server }: Context, _request: Request, reply: ReplyWriter): void {
  const events = [...server.latency.events()];
  reply.array(events.length);
  for (const { name, samples, maxMs } of events) {
    const last = samples.at(-1);
    reply.array(4);
    reply.bulkText(name);
    reply.int(last?.unixSeconds ?? 0);
    reply.int(last?.ms ?? 0);
    reply.int(maxMs);
  }
}

function reset({ server }: Context, request: Request, reply: ReplyWriter): void {
  const names: string[] = [];
  if (request.argc === 2) for (const { name } of server.latency.events()) names.push(name);
  for (let i = 2; i < request.argc; i++) names.push(request.text(i));
  let count = 0;
  for (const name of names) if (server.latency.reset(name)) count++;
  reply.int(count);
}

function graph({ server }: Context, request: Request, reply: ReplyWriter): void {
  const event = server.latency.event(request.text(2));
  if (event === undefined) {
    return reply.error(`ERR No samples available for event '${upToZero(request.text(2))}'`);
  }
  const now = Math.floor(server.unixNow / 1000);
  const values = event.samples.map(({ ms }) => ms);
  const head =
    `${event.name} - high ${Math.max(...values)} ms, low ${Math.min(...values)} ms ` +
    `(all time high ${event.maxMs} ms)\n`;
  const points = event.samples.map(({ unixSeconds, ms }) => ({
    value: ms,
    label: age(now - unixSeconds),
  }));
  reply.verbatim('txt', `${head}${'-'.repeat(RULE_WIDTH)}\n${sparkline(points)}`);
}

function age(seconds: number): string {
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)}h`;
  return `${Math.floor(seconds / 86400)}d`;
}

function doctor({ server }: Context, _request: Request, reply: ReplyWriter): void {
  reply.verbatim('txt', latencyReport(server));
}

function histogram({ server }: Context, request: Request, reply: ReplyWriter): void {
  const commands: Command[] = [];
  if (request.argc === 2) commands.push(...server.table.each());
  for (let i = 2; i < request.argc; i++) {
    const command = server.table.byName(request.text(i));
    if (command !== undefined) commands.push(command, ...command.subcommands.values());
  }
  const counted = commands.filter((command) => command.durations !== undefined);
  reply.map(counted.length);
  for (const command of counted) {
    const found = command.durations;
    const buckets = [...(found?.cumulative() ?? [])];
    reply.bulkText(command.fullName);
    reply.map(2);
    reply.bulkText('calls');
    reply.int(found?.count ?? 0);
    reply.bulkText('histogram_usec');
    reply.map(buckets.length);
    for (const { upToUs, count } of buckets) {
      reply.int(upToUs);
      reply.int(count);
    }
  }
}

/** The functions of LATENCY and its subcommands by full name. */
export const latencyHandlers: Readonly<Record<string, Handler>> = {
  'latency|doctor': doctor,
  'latency|graph': graph,
  'latency|help': helpHandler('latency'),
  'latency|histogram': histogram,
  'latency|history': history,
  'latency|latest': latest,
  'latency|reset': reset,
};
