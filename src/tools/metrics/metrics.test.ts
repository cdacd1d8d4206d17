/**
 * Goal: what Prometheus reads is what the node said, under redis_exporter's names.
 * Method: answers as the real server writes them; the text is read by a parser that is not ours.
 */
import parsePrometheusText from 'parse-prometheus-text-format';
import { expect, test } from 'vitest';
import { type Reply, ReplyError } from '../../resp/index.ts';
import { type Ask, collectFigures, whyNotReady } from './collect.ts';
import { writeSheet } from './sheet.ts';
import { EXPORTER_NAMES } from './test-exporter-names.ts';

const REPLICA = [
  '# Server',
  'redis_version:7.0.15',
  'redis_mode:cluster',
  'uptime_in_seconds:60',
  'run_id:abc',
  '# Memory',
  'used_memory:1000',
  'used_memory_peak_perc:102.51%',
  'mem_fragmentation_ratio:1.50',
  '# Persistence',
  'rdb_last_bgsave_status:err',
  '# Stats',
  'total_commands_processed:42',
  '# Replication',
  'role:slave',
  'master_host:10.0.0.1',
  'master_port:6379',
  'master_link_status:up',
  'master_last_io_seconds_ago:3',
  'slave_repl_offset:77',
  'slave_read_only:1',
  'slave0:ip=10.0.0.3,port=6380,state=online,offset=70,lag=1',
  '# Commandstats',
  'cmdstat_get:calls=5,usec=20,usec_per_call=4.00,rejected_calls=1,failed_calls=2',
  '# Errorstats',
  'errorstat_MOVED:count=9',
  '# Cluster',
  'cluster_enabled:1',
  '# Keyspace',
  'db0:keys=7,expires=2,avg_ttl=1500',
];
const SENTINEL = [
  'redis_mode:sentinel',
  'sentinel_masters:1',
  'sentinel_tilt:0',
  'master0:name=mymaster,status=odown,address=10.0.0.1:6379,slaves=2,sentinels=3',
];

test('a node, as a parser of the text format reads it', async () => {
  const read = await scrape({
    'INFO ALL': text(REPLICA),
    'SLOWLOG LEN': 4,
    'SLOWLOG GET 1': [[9, 1_700_000_000, 2500]],
    'CLUSTER INFO': text(['cluster_state:ok', 'cluster_stats_messages_sent:11']),
  });
  expect(read.get('redis_memory_used_bytes')).toEqual(['GAUGE', [['{}', 1000]]]);
  expect(read.get('redis_commands_processed_total')?.[0]).toBe('COUNTER');
  expect(value(read, 'redis_rdb_last_bgsave_status')).toBe(0);
  expect(value(read, 'redis_cluster_state')).toBe(1);
  expect(value(read, 'redis_cluster_messages_sent_total')).toBe(11);
  expect(value(read, 'redis_slowlog_last_id')).toBe(9);
  expect(value(read, 'redis_last_slow_execution_duration_seconds')).toBe(0.0025);
  expect(read.get('redis_slave_repl_offset')?.[1]).toEqual([
    ['{"master_host":"10.0.0.1","master_port":"6379"}', 77],
  ]);
  expect(read.get('redis_connected_slave_offset_bytes')?.[1]).toEqual([
    ['{"slave_ip":"10.0.0.3","slave_port":"6380","slave_state":"online"}', 70],
  ]);
  expect(read.get('redis_commands_duration_seconds_total')?.[1]).toEqual([
    ['{"cmd":"get"}', 0.00002],
  ]);
  expect(read.get('redis_errors_total')?.[1]).toEqual([['{"err":"MOVED"}', 9]]);
  expect(read.get('redis_db_avg_ttl_seconds')?.[1]).toEqual([['{"db":"db0"}', 1.5]]);
  expect([...read.keys()].filter((name) => !EXPORTER_NAMES.has(name))).toEqual([]);
});

test.each(['redis_mode', 'server_mode'])(
  "a Sentinel says who is up, and whether it could fail over, with Redis's or Valkey's field %s",
  async (field) => {
    const up = ['name', 'x', 'flags', 'slave'];
    const down = ['name', 'y', 'flags', 's_down,slave,disconnected'];
    const read = await scrape({
      'INFO ALL': text(SENTINEL.map((line) => line.replace('redis_mode', field))),
      'SENTINEL REPLICAS mymaster': [up, down],
      'SENTINEL SENTINELS mymaster': [up],
      'SENTINEL CKQUORUM mymaster': new ReplyError('NOQUORUM 1 usable Sentinels.'),
    });
    expect(JSON.stringify(read.get('redis_instance_info'))).toContain(
      '\\"redis_mode\\":\\"sentinel\\"',
    );
    expect(value(read, 'redis_sentinel_masters')).toBe(1);
    expect(value(read, 'redis_sentinel_master_status')).toBe(0);
    expect(value(read, 'redis_sentinel_master_ok_slaves')).toBe(1);
    expect(value(read, 'redis_sentinel_master_ok_sentinels')).toBe(2);
    expect(value(read, 'redis_sentinel_master_ckquorum_status')).toBe(0);
    expect([...read.keys()].filter((name) => !EXPORTER_NAMES.has(name))).toEqual([]);
  },
);

test('labels survive quotes and backslashes', async () => {
  const read = await scrape({
    'INFO ALL': text([...REPLICA, String.raw`errorstat_a"b\c:count=1`]),
    'SLOWLOG LEN': 0,
    'SLOWLOG GET 1': [],
    'CLUSTER INFO': '',
  });
  const labels = read.get('redis_errors_total')?.[1].map(([label]) => JSON.parse(label) as unknown);
  expect(labels).toContainEqual({ err: String.raw`a"b\c` });
});

test('a node is ready when it has its data, its master and its cluster', async () => {
  const reason = (info: readonly string[], cluster: Reply = null): Promise<string | undefined> =>
    whyNotReady(asking({ INFO: text(info), 'CLUSTER INFO': cluster }));
  expect(await reason(['role:master'])).toBeUndefined();
  expect(await reason(REPLICA, text(['cluster_state:ok']))).toBeUndefined();
  expect(await reason(REPLICA, text(['cluster_state:fail']))).toBe("the cluster's state is fail");
  expect(await reason(['loading:1'])).toBe('it loads its data');
  expect(await reason(['role:slave', 'master_link_status:down'])).toBe(
    'it has no link to its master',
  );
  expect(await reason(['sentinel_tilt:1'], new ReplyError('ERR'))).toBe('it is in TILT mode');
});

type Read = ReadonlyMap<
  string,
  readonly [type: string, values: readonly (readonly [string, number])[]]
>;

async function scrape(answers: Readonly<Record<string, Reply>>): Promise<Read> {
  const written = await writeSheet(await collectFigures(asking(answers)));
  return new Map(
    parsePrometheusText(written).map(({ name, type, metrics }) => [
      name,
      [
        type,
        metrics.map(
          (metric) => [JSON.stringify(metric.labels ?? {}), Number(metric.value)] as const,
        ),
      ] as const,
    ]),
  );
}

function value(read: Read, name: string): number | undefined {
  return read.get(name)?.[1][0]?.[1];
}

function asking(answers: Readonly<Record<string, Reply>>): Ask {
  return (commands) =>
    Promise.resolve(
      commands.map((words) => {
        const answer = answers[words.join(' ')];
        if (answer === undefined) throw new Error(`no answer for ${words.join(' ')}`);
        return answer;
      }),
    );
}

function text(lines: readonly string[]): string {
  return lines.join('\r\n');
}
