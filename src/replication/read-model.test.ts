import { expect, test } from 'vitest';
import { monoMs, replid, seededRng } from '../base/index.ts';
import {
  DEFAULT_SOURCE_OPTIONS,
  type LogSentence,
  type NodeFacts,
  ReplicaLink,
  ReplicationHistory,
  ReplicationSource,
  infoFields,
  logSentence,
  role,
} from './index.ts';

const FACTS: NodeFacts = {
  failoverState: 'no-failover',
  priority: 100,
  isReadOnly: true,
  isAnnounced: true,
  minReplicas: 0,
  minReplicasMaxLagSeconds: 10,
};
const NOW = monoMs(1000);

function view(): { history: ReplicationHistory; source: ReplicationSource; link: ReplicaLink } {
  const history = new ReplicationHistory({ replid: replid('a'.repeat(40)), backlogBytes: 1048576 });
  const rng = seededRng(1);
  return {
    history,
    source: new ReplicationSource({
      history,
      rng,
      sink: { send: () => undefined, wantsStream: () => undefined, hasRoom: () => true },
      options: DEFAULT_SOURCE_OPTIONS,
    }),
    link: new ReplicaLink({
      history,
      rng,
      options: {
        announcedPort: 7000,
        announcedIp: '',
        masterUser: '',
        masterAuth: '',
        timeoutSeconds: 60,
      },
    }),
  };
}

const text = (fields: readonly (readonly [string, string | number])[]): string[] =>
  fields.map(([name, value]) => `${name}:${value}`);

test('a master with a replica shows the fields of Redis in its order', () => {
  const { history, source, link } = view();
  const peer = { client: 5, ip: '127.0.0.1' };
  source.replconf(NOW, peer, [Buffer.from('listening-port'), Buffer.from('21202')]);
  source.step(NOW, { kind: 'sync', peer, asked: undefined, upstream: 'none' });
  expect(text(infoFields({ history, source, link }, NOW, FACTS))[2]).toContain('state=wait_bgsave');
  source.step(NOW, { kind: 'snapshotEnded', job: 1, isComplete: true });
  source.feed(-1, Buffer.alloc(87), 0, 87);
  source.replconf(NOW, peer, [Buffer.from('ack'), Buffer.from('87')]);
  expect(text(infoFields({ history, source, link }, NOW, FACTS))).toEqual([
    'role:master',
    'connected_slaves:1',
    'slave0:ip=127.0.0.1,port=21202,state=online,offset=87,lag=0',
    'master_failover_state:no-failover',
    `master_replid:${history.replid}`,
    `master_replid2:${'0'.repeat(40)}`,
    'master_repl_offset:87',
    'second_repl_offset:-1',
    'repl_backlog_active:1',
    'repl_backlog_size:1048576',
    'repl_backlog_first_byte_offset:1',
    'repl_backlog_histlen:87',
  ]);
  expect(role({ history, source, link })).toEqual({
    kind: 'master',
    replOffset: 87,
    replicas: [{ ip: '127.0.0.1', port: 21202, ackOffset: 87 }],
  });
});

test('a replica shows its link, up and down', () => {
  const { history, source, link } = view();
  link.step(NOW, { kind: 'follow', host: '127.0.0.1', port: 21201, isAtStart: true });
  const down = text(infoFields({ history, source, link }, NOW, FACTS)).slice(0, 12);
  expect(down).toEqual([
    'role:slave',
    'master_host:127.0.0.1',
    'master_port:21201',
    'master_link_status:down',
    'master_last_io_seconds_ago:-1',
    'master_sync_in_progress:0',
    'slave_read_repl_offset:1',
    'slave_repl_offset:1',
    'master_link_down_since_seconds:-1',
    'slave_priority:100',
    'slave_read_only:1',
    'replica_announced:1',
  ]);
  expect(role({ history, source, link })).toMatchObject({ state: 'connecting', replOffset: -1 });
  link.step(NOW, { kind: 'connected' });
  const bytes = Buffer.from(`+PONG\n+OK\n+OK\n+FULLRESYNC ${'c'.repeat(40)} 9\n$10\nabcde`);
  link.receive(NOW, bytes, 0, bytes.length);
  const during = text(infoFields({ history, source, link }, NOW, FACTS));
  expect(during).toContain('master_sync_in_progress:1');
  expect(during).toContain('master_sync_left_bytes:5');
  expect(during).toContain('master_sync_perc:50.00');
  link.receive(NOW, bytes, bytes.length - 5, 5);
  link.step(NOW, { kind: 'snapshotLoaded', streamDb: 0 });
  const up = text(infoFields({ history, source, link }, monoMs(3500), FACTS));
  expect(up).toContain('master_link_status:up');
  expect(up).toContain('master_last_io_seconds_ago:2');
  expect(up).toContain('slave_repl_offset:9');
});

test('events are told in the words of Redis', () => {
  const sentences = (...args: Parameters<typeof logSentence>): string[] =>
    logSentence(...args).map((sentence: LogSentence) => sentence.text);
  const own = { replid: 'a', replid2: 'b', secondReplOffset: 9 };
  const asked = { replid: 'x', offset: 12 };
  expect(
    sentences({ name: 'fullResyncDecided', replica: 'r:1', reason: 'offsetInFuture', asked, own }),
  ).toEqual([
    'Unable to partial resync with replica r:1 for lack of backlog (Replica request was: 12).',
    'Warning: replica r:1 tried to PSYNC with an offset that is greater than the master replication offset.',
  ]);
  expect(
    sentences({ name: 'replidShifted', replid: 'n', replid2: 'o', secondReplOffset: 88 }),
  ).toEqual([
    'Setting secondary replication ID to o, valid up to offset: 88. New replication ID is n',
  ]);
  expect(sentences({ name: 'snapshotSent', replica: 'r:1', isStreamed: false })).toEqual([]);
});
