/** The figures of one node from what it answers. Pure. */
import { replyFacts, replyItems, replyText, serverMode } from '../../client/index.ts';
import type { Reply } from '../../resp/index.ts';
import { COUNTERS, GAUGES } from './figures.ts';
import type { Figure, Labels } from './sheet.ts';

/** Answers of one node. */
export interface NodeAnswers {
  /** INFO ALL. */
  readonly info: Reply;
  /** CLUSTER INFO; null without a cluster. */
  readonly cluster: Reply;
  /** SLOWLOG LEN; null where there is none. */
  readonly slowlogLength: Reply;
  /** SLOWLOG GET 1; null where there is none. */
  readonly slowlogLast: Reply;
}

const PREFIX = 'redis_';

/** Everything but what only Sentinels know. `labels` stand on every figure. */
export function nodeFigures(answers: NodeAnswers, labels: Labels, atUnixMs: number): Figure[] {
  const info = replyFacts(answers.info);
  const put = writer(labels);
  return [
    put.gauge('up', 'The node answers.', 1),
    ...plainFigures(info, put, 'INFO'),
    ...plainFigures(replyFacts(answers.cluster), put, 'CLUSTER INFO'),
    ...instanceFigures(info, put, atUnixMs),
    ...replicationFigures(info, put),
    ...databaseFigures(info, put),
    ...commandFigures(info, put),
    ...slowlogFigures(answers, put),
  ];
}

/** That a node could not be asked. */
export function downFigures(labels: Labels): Figure[] {
  return [writer(labels).gauge('up', 'The node answers.', 0)];
}

export interface FigureWriter {
  gauge(name: string, help: string, value: number, more?: Labels): Figure;
  counter(name: string, help: string, value: number, more?: Labels): Figure;
}

export function writer(labels: Labels): FigureWriter {
  const figure =
    (kind: Figure['kind']) =>
    (name: string, help: string, value: number, more: Labels = {}): Figure => ({
      kind,
      name: PREFIX + name,
      help,
      labels: { ...labels, ...more },
      value,
    });
  return { gauge: figure('gauge'), counter: figure('counter') };
}

/** Fields that are one number, or a word that means one. */
function plainFigures(
  facts: ReadonlyMap<string, string>,
  put: FigureWriter,
  source: string,
): Figure[] {
  const figures: Figure[] = [];
  for (const [field, text] of facts) {
    const gauge = GAUGES[field] ?? (field.startsWith('cluster_') ? field : undefined);
    const counter = COUNTERS[field];
    const name = counter ?? gauge;
    const value = numberIn(text);
    if (name === undefined || value === undefined) continue;
    const help = `Field ${field} of ${source}.`;
    figures.push(put[counter === undefined ? 'gauge' : 'counter'](name, help, value));
  }
  return figures;
}

function instanceFigures(
  info: ReadonlyMap<string, string>,
  put: FigureWriter,
  atUnixMs: number,
): Figure[] {
  const named = ['role', 'redis_version', 'redis_build_id', 'redis_mode', 'os'];
  named.push('maxmemory_policy', 'tcp_port', 'run_id', 'process_id');
  const labels = {
    ...Object.fromEntries(named.map((field) => [field, info.get(field) ?? ''])),
    redis_mode: serverMode(info) ?? '',
  };
  const startedUnix = Math.round(atUnixMs / 1000) - Number(info.get('uptime_in_seconds') ?? 0);
  return [
    put.gauge('instance_info', 'What the node is, in its labels.', 1, labels),
    put.gauge('start_time_seconds', 'When it was started, seconds since 1970.', startedUnix),
  ];
}

/** Of a replica its master, of a master its replicas. */
function replicationFigures(info: ReadonlyMap<string, string>, put: FigureWriter): Figure[] {
  const figures: Figure[] = [];
  if (info.get('role') === 'slave') {
    const master = {
      master_host: info.get('master_host') ?? '',
      master_port: info.get('master_port') ?? '',
    };
    const isUp = info.get('master_link_status') === 'up' ? 1 : 0;
    figures.push(put.gauge('master_link_up', 'The link to the master is up.', isUp, master));
    for (const field of ['master_last_io_seconds_ago', 'slave_repl_offset']) {
      figures.push(
        put.gauge(field, `Field ${field} of INFO.`, Number(info.get(field) ?? 0), master),
      );
    }
    const syncing = Number(info.get('master_sync_in_progress') ?? 0);
    figures.push(
      put.gauge('master_sync_in_progress', 'A full copy is on its way.', syncing, master),
      put.gauge('slave_info', 'Whose replica it is, in its labels.', 1, {
        ...master,
        read_only: info.get('slave_read_only') ?? '',
      }),
    );
  }
  for (const [field, text] of info) {
    if (!/^slave\d+$/.test(field)) continue;
    const replica = fieldsOf(text);
    const labels = {
      slave_ip: replica.get('ip') ?? '',
      slave_port: replica.get('port') ?? '',
      slave_state: replica.get('state') ?? '',
    };
    figures.push(
      put.gauge(
        'connected_slave_offset_bytes',
        'How much of the stream a replica has acknowledged.',
        Number(replica.get('offset') ?? 0),
        labels,
      ),
      put.gauge(
        'connected_slave_lag_seconds',
        'How long ago a replica was heard of.',
        Number(replica.get('lag') ?? 0),
        labels,
      ),
    );
  }
  return figures;
}

function databaseFigures(info: ReadonlyMap<string, string>, put: FigureWriter): Figure[] {
  const figures: Figure[] = [];
  for (const [db, text] of info) {
    if (!/^db\d+$/.test(db)) continue;
    const fields = fieldsOf(text);
    const ttl = Number(fields.get('avg_ttl') ?? 0) / 1000;
    figures.push(
      put.gauge('db_keys', 'Keys of a database.', Number(fields.get('keys') ?? 0), { db }),
      put.gauge(
        'db_keys_expiring',
        'Keys of a database that expire.',
        Number(fields.get('expires') ?? 0),
        { db },
      ),
      put.gauge('db_avg_ttl_seconds', 'Mean time to live of keys that expire.', ttl, { db }),
    );
  }
  return figures;
}

/** `cmdstat_get:calls=1,usec=2,…` and `errorstat_ERR:count=1`. */
function commandFigures(info: ReadonlyMap<string, string>, put: FigureWriter): Figure[] {
  const figures: Figure[] = [];
  for (const [field, text] of info) {
    const cmd = /^cmdstat_(.+)$/.exec(field)?.[1];
    const err = /^errorstat_(.+)$/.exec(field)?.[1];
    const fields = fieldsOf(text);
    const of = (name: string): number => Number(fields.get(name) ?? 0);
    if (cmd !== undefined) {
      figures.push(
        put.counter('commands_total', 'Calls of a command.', of('calls'), { cmd }),
        put.counter(
          'commands_duration_seconds_total',
          'Time spent in a command.',
          of('usec') / 1e6,
          { cmd },
        ),
        put.counter(
          'commands_rejected_calls_total',
          'Calls of a command refused before it ran.',
          of('rejected_calls'),
          { cmd },
        ),
        put.counter(
          'commands_failed_calls_total',
          'Calls of a command that ended with an error.',
          of('failed_calls'),
          { cmd },
        ),
      );
    } else if (err !== undefined) {
      figures.push(put.counter('errors_total', 'Errors answered.', of('count'), { err }));
    }
  }
  return figures;
}

function slowlogFigures({ slowlogLength, slowlogLast }: NodeAnswers, put: FigureWriter): Figure[] {
  if (slowlogLength === null) return [];
  const [entry] = replyItems(slowlogLast);
  const [id, , microseconds] = replyItems(entry).map((item) => Number(replyText(item)));
  return [
    put.gauge('slowlog_length', 'Entries of the slow log.', Number(replyText(slowlogLength))),
    put.gauge('slowlog_last_id', 'Id of the last entry of the slow log.', id ?? 0),
    put.gauge(
      'last_slow_execution_duration_seconds',
      'What the last entry of the slow log took.',
      (microseconds ?? 0) / 1e6,
    ),
  ];
}

/** A number, `12.5%`, or the words of states. */
function numberIn(text: string): number | undefined {
  if (text === 'ok') return 1;
  if (text === 'err' || text === 'fail') return 0;
  const value = Number(text.replace(/%$/, ''));
  return text === '' || !Number.isFinite(value) ? undefined : value;
}

/** `a=1,b=2`. */
export function fieldsOf(text: string): ReadonlyMap<string, string> {
  const pairs = text.split(',').map((part): [string, string] => {
    const equals = part.indexOf('=');
    return [part.slice(0, equals), part.slice(equals + 1)];
  });
  return new Map(pairs);
}
