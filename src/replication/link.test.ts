/** The following side against what masters say; the transcripts are those of redis-server 7.0.15. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type MonoMs, monoMs, replid, seededRng } from '../base/index.ts';
import {
  type LinkEffect,
  type LinkInput,
  type LinkOptions,
  ReplicaLink,
  ReplicationHistory,
} from './index.ts';

const OWN = 'b'.repeat(40);
const MASTERS = '72f620fea1751efd31e47bb77042a1ad5825a845';
const MARK = 'c4f870ab60508aecd297af9a24f51609508e3307';

class Bench {
  now: MonoMs = monoMs(5000);
  readonly history: ReplicationHistory = new ReplicationHistory({
    replid: replid(OWN),
    backlogBytes: 1 << 20,
  });
  readonly link: ReplicaLink;
  /** Effects in short words; bytes of snapshot and stream joined as they follow each other. */
  readonly trace: string[] = [];
  readonly events: string[] = [];
  isLoadingDone = true;

  constructor(options: Partial<LinkOptions> = {}) {
    this.link = new ReplicaLink({
      history: this.history,
      rng: seededRng(9),
      options: {
        announcedPort: 21202,
        announcedIp: '',
        masterUser: '',
        masterAuth: '',
        timeoutSeconds: 60,
        ...options,
      },
    });
  }

  step(input: LinkInput): void {
    this.#take(this.link.step(this.now, input));
  }

  follow(isAtStart = true): void {
    this.step({ kind: 'follow', host: '127.0.0.1', port: 21201, isAtStart });
  }

  receive(text: string): void {
    const buf = Buffer.from(text, 'latin1');
    this.#take(this.link.receive(this.now, buf, 0, buf.length));
    buf.fill(0);
  }

  pass(ms: number): void {
    const end = this.now + ms;
    for (;;) {
      const wake = this.link.nextWake();
      if (wake === undefined || wake > end) break;
      this.now = monoMs(Math.max(this.now, wake));
      this.step({ kind: 'tick' });
    }
    this.now = monoMs(end);
  }

  /** What happened since the last call. */
  done(): string[] {
    return this.trace.splice(0);
  }

  #take(effects: readonly LinkEffect[]): void {
    for (const effect of effects) {
      if (effect.kind === 'log') this.events.push(effect.event.name);
      else if (effect.kind === 'send') this.trace.push(`> ${effect.bytes.toString('latin1')}`);
      else if (effect.kind === 'snapshotBytes' || effect.kind === 'stream') this.#bytes(effect);
      else this.trace.push(effect.kind);
      if (effect.kind === 'endSnapshot' && this.isLoadingDone) {
        this.step({ kind: 'snapshotLoaded', streamDb: 0 });
      }
    }
  }

  #bytes(effect: Extract<LinkEffect, { kind: 'snapshotBytes' | 'stream' }>): void {
    const text = effect.buf.toString('latin1', effect.at, effect.at + effect.size);
    const prefix = `${effect.kind}: `;
    if (effect.kind === 'stream') this.history.append(effect.buf, effect.at, effect.size);
    if (this.trace.at(-1)?.startsWith(prefix)) this.trace[this.trace.length - 1] += text;
    else this.trace.push(prefix + text);
  }
}

const PING = '*1\r\n$4\r\nPING\r\n';
const INTRODUCTION =
  '*3\r\n$8\r\nREPLCONF\r\n$14\r\nlistening-port\r\n$5\r\n21202\r\n*5\r\n$8\r\nREPLCONF\r\n$4\r\ncapa\r\n$3\r\neof\r\n$4\r\ncapa\r\n$6\r\npsync2\r\n';
const ASK_ALL = '*3\r\n$5\r\nPSYNC\r\n$1\r\n?\r\n$2\r\n-1\r\n';
const ack = (offset: number): string =>
  `*3\r\n$8\r\nREPLCONF\r\n$3\r\nACK\r\n$${String(offset).length}\r\n${offset}\r\n`;

/** Up to the question for data. */
function introduced(options: Partial<LinkOptions> = {}, isAtStart = true): Bench {
  const bench = new Bench(options);
  bench.follow(isAtStart);
  bench.step({ kind: 'connected' });
  bench.receive('+PONG\r\n');
  bench.receive('+OK\r\n+OK\r\n');
  return bench;
}

/** Up and streaming from offset 87. */
function connected(): Bench {
  const bench = introduced();
  bench.receive(`+FULLRESYNC ${MASTERS} 87\r\n$3\r\nRDB`);
  expect(bench.link.isUp).toBe(true);
  bench.done();
  bench.events.length = 0;
  return bench;
}

test('the handshake is that of a real replica, byte for byte', () => {
  const bench = new Bench({ masterAuth: 'pw' });
  bench.follow();
  bench.step({ kind: 'connected' });
  bench.receive('-NOAUTH Authentication required.\r\n');
  bench.receive('+OK\r\n');
  bench.receive('+OK\r\n+OK\r\n');
  const auth = '*2\r\n$4\r\nAUTH\r\n$2\r\npw\r\n';
  expect(bench.done()).toEqual([
    'connect',
    `> ${PING}`,
    `> ${auth}${INTRODUCTION}`,
    `> ${ASK_ALL}`,
  ]);
});

test('a full synchronization with a mark is acknowledged at once, and the stream follows', () => {
  const bench = introduced();
  bench.done();
  bench.receive('\n\n');
  bench.receive(`+FULLRESYNC ${MASTERS} 87\r\n$EOF:${MARK}\r\nREDIS0010...${MARK}`);
  bench.receive('*1\r\n');
  expect(bench.done()).toEqual([
    'beginSnapshot',
    'snapshotBytes: REDIS0010...',
    'endSnapshot',
    'disconnectReplicas',
    'linkUp',
    `> ${ack(87)}`,
    'stream: *1\r\n',
  ]);
  expect(bench.history.replid).toBe(MASTERS);
  expect(bench.link.receivedOffset).toBe(91);
});

test('the same bytes give the same effects however they are cut', () => {
  const script = `+PONG\r\n+OK\r\n+OK\r\n\n+FULLRESYNC ${MASTERS} 5\r\n\n$EOF:${MARK}\r\n${MARK.slice(0, 20)}RDB${MARK}*1\r\n$4\r\nPING\r\n`;
  const sized = `+PONG\r\n+OK\r\n+OK\r\n+FULLRESYNC ${MASTERS} 5\r\n$4\r\nRDBx*1\r\n$4\r\nPING\r\n`;
  const partsOf = (text: string, cuts: readonly number[]): string[] => {
    const bench = new Bench();
    bench.follow();
    bench.step({ kind: 'connected' });
    let from = 0;
    for (const cut of [...cuts.map((c) => c % text.length).sort((a, b) => a - b), text.length]) {
      bench.receive(text.slice(from, cut));
      from = cut;
    }
    return [...bench.done(), ...bench.events];
  };
  const whole = new Map([script, sized].map((text) => [text, partsOf(text, [])]));
  fc.assert(
    fc.property(
      fc.constantFrom(script, sized),
      fc.array(fc.nat(), { maxLength: 12 }),
      (text, cuts) => {
        expect(partsOf(text, cuts)).toEqual(whole.get(text));
      },
    ),
    { seed: 31, numRuns: 200 },
  );
});

test('stream that arrives while the snapshot is swapped in comes after it', () => {
  const bench = introduced();
  bench.isLoadingDone = false;
  bench.receive(`+FULLRESYNC ${MASTERS} 87\r\n$3\r\nRDB*1\r\n`);
  bench.receive('$4\r\n');
  bench.done();
  bench.step({ kind: 'snapshotLoaded', streamDb: 4 });
  expect(bench.done()).toEqual([
    'disconnectReplicas',
    'linkUp',
    `> ${ack(87)}`,
    'stream: *1\r\n$4\r\n',
  ]);
  expect(bench.history.streamDb).toBe(4);
});

test('a broken link is taken up at once where it was', () => {
  const bench = connected();
  bench.receive('12345');
  bench.pass(1500);
  expect(bench.done()).toEqual(['stream: 12345', `> ${ack(92)}`]);
  bench.step({ kind: 'closed' });
  expect(bench.done()).toEqual(['resetStream', 'linkDown', 'connect']);
  bench.step({ kind: 'connected' });
  bench.receive('+PONG\r\n+OK\r\n+OK\r\n');
  expect(bench.done().at(-1)).toBe(`> *3\r\n$5\r\nPSYNC\r\n$40\r\n${MASTERS}\r\n$2\r\n93\r\n`);
  bench.receive(`+CONTINUE ${MASTERS}\r\nmore`);
  expect(bench.done()).toEqual(['linkUp', `> ${ack(92)}`, 'stream: more']);
  expect(bench.events).toContain('partialResyncDone');
});

test('a new id at CONTINUE shifts the history and lets the sub-replicas go', () => {
  const bench = connected();
  bench.step({ kind: 'closed' });
  bench.step({ kind: 'connected' });
  const next = 'd'.repeat(40);
  bench.receive(`+PONG\r\n+OK\r\n+OK\r\n+CONTINUE ${next}\r\n`);
  expect(bench.done()).toContain('disconnectReplicas');
  const { replid: id, replid2, secondReplOffset } = bench.history;
  expect([id, replid2, secondReplOffset]).toEqual([next, MASTERS, 88]);
});

test('a former master asks to go on from its own history, a new node for all', () => {
  const former = introduced({}, false);
  expect(former.done().at(-1)).toBe(`> *3\r\n$5\r\nPSYNC\r\n$40\r\n${OWN}\r\n$1\r\n1\r\n`);
  expect(former.events).toContain('ownPositionCached');
  expect(introduced().done().at(-1)).toBe(`> ${ASK_ALL}`);
});

test.each([
  ['goes back to the history of before while nothing was written in its own', 0, false, MASTERS],
  ['stays with its own once it has written', 1, false, OWN],
  ['stays with its own once a replica knows of it', 0, true, OWN],
])('a master that was promoted and follows again %s', (_, written, isShared, id) => {
  const bench = connected();
  bench.receive('12345');
  bench.history.streamDb = 4;
  bench.step({ kind: 'stop' });
  bench.history.shift(replid(OWN));
  bench.history.streamDb = 0;
  bench.history.isShared = isShared;
  bench.history.append(Buffer.from('x'), 0, written);
  bench.done();
  bench.follow(false);
  bench.step({ kind: 'connected' });
  bench.receive('+PONG\r\n+OK\r\n+OK\r\n');
  const offset = String(93 + written);
  const asked = `> *3\r\n$5\r\nPSYNC\r\n$40\r\n${id}\r\n$2\r\n${offset}\r\n`;
  expect(bench.done().at(-1)).toBe(asked);
  const isBack = id === MASTERS;
  expect(bench.history.replid2).toBe(isBack ? '0'.repeat(40) : MASTERS);
  expect(bench.history.streamDb).toBe(isBack ? 4 : 0);
});

test('a replica that took over already is followed as it is, and refuses nothing', () => {
  const bench = new Bench();
  bench.step({ kind: 'follow', host: '127.0.0.1', port: 21201, isHandover: true });
  bench.pass(100);
  bench.step({ kind: 'connected' });
  bench.receive('+PONG\r\n+OK\r\n+OK\r\n');
  expect(bench.done().at(-1)).toMatch(/PSYNC[^]*FAILOVER/);
  bench.receive("-ERR PSYNC FAILOVER can't be sent to a master.\r\n");
  const [answered, asked] = bench.done();
  expect(answered).toBe('handoverAnswered');
  expect(asked).toMatch(/PSYNC/);
  expect(asked).not.toMatch(/FAILOVER/);
  bench.receive(`+CONTINUE ${MASTERS}\r\n`);
  expect(bench.link.isUp).toBe(true);
});

test('a transfer that breaks leaves data and position, and is begun again', () => {
  const bench = connected();
  bench.pass(1200);
  bench.step({ kind: 'closed' });
  bench.step({ kind: 'connected' });
  bench.receive(`+PONG\r\n+OK\r\n+OK\r\n+FULLRESYNC ${'e'.repeat(40)} 7\r\n$100\r\nRD`);
  bench.done();
  bench.step({ kind: 'closed' });
  expect(bench.done()).toEqual(['abortSnapshot']);
  expect(bench.history.replid).toBe(MASTERS);
  expect(bench.history.masterReplOffset).toBe(87);
});

test('a link that brought anything new is tried again at once, however short it was', () => {
  const bench = connected();
  const reconnect = (): void => {
    bench.step({ kind: 'connected' });
    bench.receive('+PONG\r\n+OK\r\n+OK\r\n+CONTINUE\r\n');
    expect(bench.link.isUp).toBe(true);
  };
  for (let i = 0; i < 5; i++) {
    bench.receive(PING);
    bench.step({ kind: 'closed' });
    expect(bench.link.phase).toBe('connecting');
    reconnect();
  }
  bench.step({ kind: 'closed' });
  expect(bench.link.phase).toBe('waiting');
});

test('tries come after growing waits', () => {
  const bench = new Bench();
  bench.follow();
  const waits: number[] = [];
  for (let i = 0; i < 9; i++) {
    const from = bench.now;
    bench.step({ kind: 'connectFailed', reason: 'Connection refused' });
    bench.done();
    while (bench.link.phase === 'waiting') bench.pass(1);
    waits.push(bench.now - from);
  }
  expect(waits).toEqual([0, 50, 100, 200, 400, 800, 1000, 1000, 1000]);
});

test.each([
  ['-NOMASTERLINK no', 'masterNotReady'],
  ['-LOADING wait', 'masterNotReady'],
  ['+FULLRESYNC nonsense', 'answerMalformed'],
  ['hello', 'answerMalformed'],
  ['+CONTINUE', 'answerMalformed'],
])('%j to PSYNC ends the try', (line, event) => {
  const bench = introduced();
  bench.done();
  bench.receive(`${line}\r\n`);
  expect(bench.events.at(-3)).toBe(event);
  expect(bench.done()).toEqual(['close', 'connect']);
});

test('a master without PSYNC is asked by SYNC, and its history cannot be continued', () => {
  const bench = introduced();
  bench.done();
  bench.receive("-ERR unknown command 'PSYNC'\r\n");
  expect(bench.done()).toEqual(['> SYNC\r\n']);
  bench.receive('\n$3\r\nRDB');
  expect(bench.link.isUp).toBe(true);
  expect(bench.link.hasPosition).toBe(false);
});

test('a wrong password and an endless line end the try', () => {
  const bench = new Bench({ masterAuth: 'pw', masterUser: 'me' });
  bench.follow();
  bench.step({ kind: 'connected' });
  bench.receive('+PONG\r\n-WRONGPASS no\r\n');
  expect(bench.events).toContain('authRefused');
  bench.step({ kind: 'connected' });
  bench.receive('x'.repeat(1025));
  expect(bench.events).toContain('answerMalformed');
});

test('a snapshot that does not load is abandoned and asked for again slowly', () => {
  const bench = introduced();
  bench.isLoadingDone = false;
  bench.receive(`+FULLRESYNC ${MASTERS} 87\r\n$3\r\nRDB`);
  bench.done();
  bench.step({ kind: 'snapshotFailed', reason: 'list (type 18)', isForeign: false });
  expect(bench.done()).toEqual(['abortSnapshot', 'close']);
  expect(bench.link.nextWake()).toBe(bench.now + 1000);
});

test('a silent master is given up, but not after a pause of our own', () => {
  const bench = connected();
  bench.now = monoMs(bench.now + 90_000);
  bench.step({ kind: 'tick' });
  expect(bench.link.isUp).toBe(true);
  bench.receive('x');
  bench.pass(59_000);
  expect(bench.link.isUp).toBe(true);
  bench.pass(3000);
  expect(bench.events).toContain('linkTimedOut');
  expect(bench.link.phase).toBe('connecting');
});

test('data age counts from the last word of the master, then from the loss of the link', () => {
  const bench = new Bench();
  bench.follow();
  expect(bench.link.dataAgeMs(bench.now)).toBe(Infinity);
  const up = connected();
  up.now = monoMs(up.now + 700);
  expect(up.link.dataAgeMs(up.now)).toBe(700);
  up.step({ kind: 'closed' });
  expect(up.link.dataAgeMs(monoMs(up.now + 40))).toBe(40);
  const turned = connected();
  turned.step({ kind: 'follow', host: '127.0.0.1', port: 2 });
  expect(turned.link.dataAgeMs(monoMs(turned.now + 30))).toBe(30);
});

test('GETACK is answered at once, and a bad stream discards the position', () => {
  const bench = connected();
  bench.step({ kind: 'getAck' });
  expect(bench.done()).toEqual([`> ${ack(87)}`]);
  bench.step({ kind: 'protocolError' });
  expect(bench.done()).toEqual(['close', 'resetStream', 'linkDown', 'connect']);
  expect(bench.link.hasPosition).toBe(false);
});

test('a command that is not known here stops the stream before it, and a full copy is asked for later and later', () => {
  const bench = connected();
  for (const seconds of [10, 20, 40]) {
    bench.step({ kind: 'commandRefused' });
    expect(bench.events).toEqual(['streamStopped', 'foreignWait']);
    expect(bench.link.upstream).toBe('down');
    expect(bench.link.receivedOffset).toBe(87);
    bench.pass(seconds * 1000 - 100);
    expect(bench.done()).toEqual(['close', 'resetStream', 'linkDown']);
    bench.pass(1100);
    bench.step({ kind: 'connected' });
    bench.receive('+PONG\r\n+OK\r\n+OK\r\n');
    expect(bench.done()).toEqual(['connect', `> ${PING}`, `> ${INTRODUCTION}`, `> ${ASK_ALL}`]);
    bench.receive(`+FULLRESYNC ${MASTERS} 87\r\n$3\r\nRDB`);
    expect(bench.link.isUp).toBe(true);
    bench.done();
    bench.events.length = 0;
  }
});

test('a link that held a minute, or is begun anew, waits as the first time', () => {
  const bench = connected();
  bench.step({ kind: 'commandRefused' });
  bench.follow();
  bench.step({ kind: 'connected' });
  bench.receive(`+PONG\r\n+OK\r\n+OK\r\n+FULLRESYNC ${MASTERS} 87\r\n$3\r\nRDB`);
  bench.step({ kind: 'commandRefused' });
  bench.pass(9900);
  bench.done();
  bench.pass(1100);
  expect(bench.done()).toEqual(['connect']);
});

test('a snapshot with what this server does not have is asked for later, any other that fails within a second', () => {
  for (const [isForeign, waitMs] of [
    [true, 10_000],
    [false, 1000],
  ] as const) {
    const bench = introduced();
    bench.isLoadingDone = false;
    bench.receive(`+FULLRESYNC ${MASTERS} 87\r\n$3\r\nRDB`);
    bench.done();
    bench.step({ kind: 'snapshotFailed', reason: 'it is so', isForeign });
    expect(bench.done()).toEqual(['abortSnapshot', 'close']);
    bench.pass(waitMs - 100);
    expect(bench.done()).toEqual([]);
    bench.pass(1100);
    expect(bench.done()).toEqual(['connect']);
  }
});

test('stopping closes the link and nothing more is awaited', () => {
  const bench = connected();
  bench.step({ kind: 'stop' });
  expect(bench.done()).toEqual(['close', 'resetStream', 'linkDown']);
  expect(bench.link.nextWake()).toBeUndefined();
  expect(bench.link.upstream).toBe('none');
  expect(bench.history.isFollowing).toBe(false);
});

test('stopping while a try is awaited ends the tries', () => {
  const bench = new Bench();
  bench.follow();
  bench.step({ kind: 'connectFailed', reason: 'no' });
  bench.step({ kind: 'connectFailed', reason: 'no' });
  expect(bench.link.phase).toBe('waiting');
  bench.step({ kind: 'stop' });
  bench.done();
  bench.pass(5000);
  expect(bench.done()).toEqual([]);
  expect(bench.link.phase).toBe('none');
});

test('arbitrary bytes of a master never throw', () => {
  const word = fc.constantFrom(
    '+PONG\r\n',
    '+OK\r\n',
    '-ERR\r\n',
    '\n',
    '+CONTINUE\r\n',
    `+FULLRESYNC ${MASTERS} 1\r\n`,
    '$3\r\n',
    '$EOF:',
    'xyz',
  );
  fc.assert(
    fc.property(
      fc.array(fc.oneof(word, fc.string({ maxLength: 20 })), { maxLength: 15 }),
      (words) => {
        const bench = new Bench();
        bench.follow();
        bench.step({ kind: 'connected' });
        for (const text of words) {
          bench.receive(text);
          if (bench.link.phase === 'connecting') bench.step({ kind: 'connected' });
        }
      },
    ),
    { seed: 32, numRuns: 500 },
  );
});
