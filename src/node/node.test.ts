import { expect, test } from 'vitest';
import { TestNode } from './test-node.ts';

test('pipelined requests are answered in order, wherever the bytes are cut', () => {
  const bytes =
    '*3\r\n$3\r\nSET\r\n$1\r\na\r\n$2\r\n12\r\n*2\r\n$4\r\nINCR\r\n$1\r\na\r\nGET a\r\n';
  for (let cut = 0; cut <= bytes.length; cut++) {
    const client = new TestNode().connect();
    const answer = client.send(bytes.slice(0, cut)) + client.send(bytes.slice(cut));
    expect(answer).toBe('+OK\r\n:13\r\n$2\r\n13\r\n');
  }
});

test('a protocol error is answered, and the connection ends', () => {
  const client = new TestNode().connect();
  expect(client.send('*1\r\n!x\r\n')).toBe("-ERR Protocol error: expected '$', got '!'\r\n");
  expect(client.isClosed).toBe(true);
  expect(client.call('PING')).toBe('');
});

test('a browser that was tricked into talking to us is cut off', () => {
  for (const line of ['POST / HTTP/1.1\r\n', 'Host: 127.0.0.1\r\n']) {
    const client = new TestNode().connect();
    expect(client.send(`${line}SET a 1\r\n`)).toBe('');
    expect(client.isClosed).toBe(true);
  }
});

test('unknown commands, subcommands and wrong counts get the texts of the real server', () => {
  const client = new TestNode().connect();
  expect(client.call('NOPE', 'a', 'b')).toBe(
    "-ERR unknown command 'NOPE', with args beginning with: 'a' 'b' \r\n",
  );
  expect(client.call('CONFIG', 'nope')).toBe(
    "-ERR unknown subcommand 'nope'. Try CONFIG HELP.\r\n",
  );
  // Up to a zero byte, as C has it.
  expect(client.call('N\0PE', 'a\0b', '', 'c')).toBe(
    "-ERR unknown command 'N', with args beginning with: 'a' '' 'c' \r\n",
  );
  expect(client.call('GET')).toBe("-ERR wrong number of arguments for 'get' command\r\n");
  expect(client.call('CONFIG')).toBe("-ERR wrong number of arguments for 'config' command\r\n");
});

test('a replica that asks for an answer is cut off, and the log says what it would have been', () => {
  const node = new TestNode();
  const said = (from: number): string[] =>
    node.logs.slice(from).map((line) => line.replace(/: id=.*/, ''));
  for (const [call, name, error] of [
    ['GET', 'get', "Replica can't interact with the keyspace"],
    ['NOPE', '<unknown>', "unknown command 'NOPE', with args beginning with: 'a' "],
    ['ECHO', 'echo', undefined],
  ] as const) {
    const replica = node.connect();
    replica.call('PSYNC', '?', '-1');
    const from = node.logs.length;
    replica.call(call, 'a');
    expect(replica.isClosed).toBe(true);
    const sentence = `== CRITICAL == This master is sending an error to its replica: '${error}' after processing the command '${name}'`;
    expect(said(from).filter((line) => /generated|CRITICAL/.test(line))).toEqual([
      `Replica generated a reply to command '${name}', disconnecting it`,
      ...(error === undefined ? [] : [sentence]),
    ]);
  }
});

test('a transaction runs as one, and a refused command in it ends it', () => {
  const node = new TestNode();
  const client = node.connect();
  expect(client.call('MULTI')).toBe('+OK\r\n');
  expect(client.call('SET', 'a', '1')).toBe('+QUEUED\r\n');
  expect(client.call('INCR', 'a')).toBe('+QUEUED\r\n');
  expect(client.call('EXEC')).toBe('*2\r\n+OK\r\n:2\r\n');
  client.call('MULTI');
  client.call('PING');
  client.call('NOPE');
  expect(client.call('PING')).toBe('+QUEUED\r\n');
  // What comes behind it is not even kept.
  expect(node.connect().call('CLIENT', 'LIST')).toContain(' multi=1 ');
  expect(client.call('EXEC')).toBe(
    '-EXECABORT Transaction discarded because of previous errors.\r\n',
  );
});

test('a replica without its master runs a transaction only if it would run each of its commands', () => {
  const [client, operator] = ((node) => [node.connect(), node.connect()] as const)(new TestNode());
  operator.call('CONFIG', 'SET', 'replica-serve-stale-data', 'no');
  const exec = (...queued: string[]): string => {
    client.call('MULTI');
    client.call(...queued);
    operator.call('REPLICAOF', '127.0.0.1', '1');
    const answer = client.call('EXEC');
    operator.call('REPLICAOF', 'NO', 'ONE');
    return answer;
  };
  expect(exec('ECHO', 'x')).toBe('*1\r\n$1\r\nx\r\n');
  expect(exec('GET', 'a')).toBe(
    '-EXECABORT Transaction discarded because of: MASTERDOWN Link with MASTER is down and ' +
      "replica-serve-stale-data is set to 'no'.\r\n",
  );
  expect(client.call('EXEC')).toBe('-ERR EXEC without MULTI\r\n');
  expect(client.call('GET', 'a')).toBe('$-1\r\n');
});

test('SLOTSRANGE may have a zero behind it, as valkey-cli 9.1.2 sends it', () => {
  const client = new TestNode('cluster-enabled yes').connect();
  const move = (word: string): string =>
    client.call('CLUSTER', 'MIGRATESLOTS', word, '1', '3', 'NODE', 'a'.repeat(40));
  expect(move('SLOTSRANGES')).toBe('-ERR syntax error\r\n');
  expect(move('slotsrange')).toBe('-ERR The cluster is down\r\n');
  expect(move('SLOTSRANGE\0')).toBe(move('slotsrange'));
});

test('EXEC passes on where the cluster sends it, so that clients can follow', () => {
  const node = new TestNode('cluster-enabled yes\ncluster-require-full-coverage no');
  const [client, operator] = [node.connect(), node.connect()];
  operator.call('CLUSTER', 'ADDSLOTSRANGE', '0', '16383');
  node.pass(5000);
  client.call('MULTI');
  expect(client.call('SET', 'foo', '1')).toBe('+QUEUED\r\n');
  operator.call('CLUSTER', 'DELSLOTS', '12182');
  expect(client.call('EXEC')).toBe('-CLUSTERDOWN Hash slot not served\r\n');
  expect(client.call('EXEC')).toBe('-ERR EXEC without MULTI\r\n');
  client.call('MULTI');
  expect(client.call('SET', 'foo', '1')).toBe('-CLUSTERDOWN Hash slot not served\r\n');
  expect(client.call('EXEC')).toBe(
    '-EXECABORT Transaction discarded because of previous errors.\r\n',
  );
});

test('EXEC that is refused ends the transaction, also when there is none', () => {
  const client = new TestNode().connect();
  const refusal =
    "-EXECABORT Transaction discarded because of: wrong number of arguments for 'exec' command\r\n";
  expect(client.call('EXEC', 'x')).toBe(refusal);
  client.call('MULTI');
  expect(client.call('EXEC', 'x')).toBe(refusal);
  expect(client.call('EXEC')).toBe('-ERR EXEC without MULTI\r\n');
});

test('WAIT takes any time of 64 bits, SELECT any number of 32', () => {
  const client = new TestNode().connect();
  expect(client.call('WAIT', '0', '9223372036854775807')).toBe(':0\r\n');
  expect(client.call('WAIT', '0', '9223372036854775808')).toBe(
    '-ERR timeout is not an integer or out of range\r\n',
  );
  expect(client.call('SELECT', '2147483647')).toBe('-ERR DB index is out of range\r\n');
  expect(client.call('SELECT', '2147483648')).toBe(
    '-ERR value is out of range, value must between -2147483648 and 2147483647\r\n',
  );
});

test('what has expired and is still there has a digest and takes memory', () => {
  const client = new TestNode().connect();
  client.call('DEBUG', 'SET-ACTIVE-EXPIRE', '0');
  client.call('SET', 'k', 'v', 'PXAT', '1');
  expect(client.call('DEBUG', 'DIGEST-VALUE', 'k')).not.toMatch(/\+0{40}/);
  expect(client.call('MEMORY', 'USAGE', 'k', 'SAMPLES', '9223372036854775807')).toMatch(/^:\d+/);
  expect(client.call('GET', 'k')).toBe('$-1\r\n');
  expect(client.call('MEMORY', 'USAGE', 'k', 'SAMPLES', '-9223372036854775807')).toBe(
    '-ERR syntax error\r\n',
  );
});

test('COMMAND LIST names subcommands too', () => {
  const client = new TestNode().connect();
  const names = client.call('COMMAND', 'LIST').split('\r\n');
  expect(names).toContain('config');
  expect(names).toContain('config|get');
  client.call('HELLO', '3');
  expect(client.call('COMMAND', 'LIST')).toMatch(/^\*/);
});

test('the last command of a client is what it asked for, run or not', () => {
  const node = new TestNode();
  const [client, other] = [node.connect(), node.connect()];
  const shown: [readonly string[], string][] = [
    [['PING'], 'ping'],
    [['NONE', 'a'], 'NULL'],
    [['GET'], 'get'],
    [['CONFIG', 'NONE'], 'NULL'],
    [['CONFIG', 'GET'], 'config|get'],
    [['MULTI'], 'multi'],
    [['SET', 'a', 'b'], 'set'],
    [['EXEC'], 'exec'],
  ];
  for (const [args, name] of shown) {
    client.call(...args);
    const lines = other.call('CLIENT', 'LIST');
    expect([args, / cmd=(\S+)/.exec(lines)?.[1]]).toEqual([args, name]);
  }
});

test('a value set over an expired one is a new key to those who listen', () => {
  const node = new TestNode();
  const [client, listener] = [node.connect(), node.connect()];
  client.call('DEBUG', 'SET-ACTIVE-EXPIRE', '0');
  client.call('CONFIG', 'SET', 'notify-keyspace-events', 'En');
  listener.call('PSUBSCRIBE', '*');
  client.call('SET', 'k', 'v', 'PXAT', '1');
  client.call('SET', 'k', 'v');
  expect(listener.received.match(/:new/g)).toHaveLength(2);
});

test('a database swapped with itself leaves watched keys alone', () => {
  const client = new TestNode().connect();
  client.call('SET', 'a', '1');
  client.call('WATCH', 'a');
  expect(client.call('SWAPDB', '0', '0')).toBe('+OK\r\n');
  client.call('MULTI');
  expect(client.call('EXEC')).toBe('*0\r\n');
});

test('EXEC answers with nothing when a watched key changed', () => {
  const node = new TestNode();
  const [client, other] = [node.connect(), node.connect()];
  client.call('WATCH', 'a');
  other.call('SET', 'a', '1');
  client.call('MULTI');
  client.call('PING');
  expect(client.call('EXEC')).toBe('*-1\r\n');
});

test('without the password only the way in is open', () => {
  const client = new TestNode('requirepass secret\n').connect();
  expect(client.call('GET', 'a')).toBe('-NOAUTH Authentication required.\r\n');
  expect(client.call('AUTH', 'wrong')).toContain('-WRONGPASS');
  expect(client.call('AUTH', 'secret')).toBe('+OK\r\n');
  expect(client.call('GET', 'a')).toBe('$-1\r\n');
});

test('a stranger may not announce large requests before AUTH', () => {
  const client = new TestNode('requirepass secret\n').connect();
  expect(client.send('*11\r\n')).toBe('-ERR Protocol error: unauthenticated multibulk length\r\n');
  expect(client.isClosed).toBe(true);
});

test('protected mode lets only this machine in while there is no password', () => {
  const node = new TestNode();
  const stranger = node.connect('10.0.0.9');
  expect(stranger.received).toContain('-DENIED Redis is running in protected mode');
  expect(stranger.isClosed).toBe(true);
  expect(node.connect('127.0.0.1').call('PING')).toBe('+PONG\r\n');
  expect(new TestNode('requirepass x\n').connect('10.0.0.9').isClosed).toBe(false);
});

test('who has not authenticated cannot fill the memory with errors that he does not read', () => {
  const node = new TestNode('requirepass secret\n');
  const stranger = node.connect();
  const known = node.connect();
  known.call('AUTH', 'secret');
  for (const client of [stranger, known]) {
    client.isReading = false;
    for (let i = 0; i < 1000; i++) client.send('GET\r\n'.repeat(10));
  }
  expect([stranger.isClosed, known.isClosed]).toEqual([true, false]);
  expect(node.logs.join('\n')).toContain('for overcoming of output buffer limits.');
});

test('more clients than allowed are turned away', () => {
  const node = new TestNode('maxclients 1\n');
  node.connect();
  const second = node.connect();
  expect(second.received).toBe('-ERR max number of clients reached\r\n');
  expect(second.isClosed).toBe(true);
});

test('a paused write waits and runs when the pause is over; a read goes on', () => {
  const node = new TestNode();
  const [client, other] = [node.connect(), node.connect()];
  other.call('CLIENT', 'PAUSE', '500', 'WRITE');
  expect(client.call('GET', 'a')).toBe('$-1\r\n');
  expect(client.call('SET', 'a', '1')).toBe('');
  expect(client.call('GET', 'a')).toBe('');
  expect(other.call('INFO', 'clients')).toContain('blocked_clients:1\r\n');
  client.received = '';
  node.pass(600);
  expect(client.received).toBe('+OK\r\n$1\r\n1\r\n');
});

test('a key whose time is over in a pause seems gone, and goes when the pause is over', () => {
  const node = new TestNode();
  const client = node.connect();
  client.call('SET', 'a', '1', 'PX', '10');
  client.call('CLIENT', 'PAUSE', '500', 'WRITE');
  node.pass(100);
  expect(client.call('GET', 'a')).toBe('$-1\r\n');
  expect(client.call('INFO', 'stats')).toContain('expired_keys:0\r\n');
  node.pass(600);
  expect(client.call('GET', 'a')).toBe('$-1\r\n');
  expect(client.call('INFO', 'stats')).toContain('expired_keys:1\r\n');
});

test('a RESP2 subscriber may only do what subscribers do', () => {
  const client = new TestNode().connect();
  client.call('SUBSCRIBE', 'news');
  expect(client.call('GET', 'a')).toContain("-ERR Can't execute 'get': only");
  expect(client.call('PING')).toBe('*2\r\n$4\r\npong\r\n$0\r\n\r\n');
});

test('a message reaches a subscriber in the turn of its publisher', () => {
  const node = new TestNode();
  const [listener, publisher] = [node.connect(), node.connect()];
  listener.call('SUBSCRIBE', 'news');
  listener.received = '';
  expect(publisher.call('PUBLISH', 'news', 'hello')).toBe(':1\r\n');
  expect(listener.received).toBe('*3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$5\r\nhello\r\n');
});

test('CLIENT REPLY SKIP drops one answer, OFF all of them', () => {
  const client = new TestNode().connect();
  expect(client.call('CLIENT', 'REPLY', 'SKIP')).toBe('');
  expect(client.call('PING')).toBe('');
  expect(client.call('PING')).toBe('+PONG\r\n');
  client.call('CLIENT', 'REPLY', 'OFF');
  expect(client.call('PING')).toBe('');
  expect(client.call('CLIENT', 'REPLY', 'ON')).toBe('+OK\r\n');
  // A SKIP is about what follows the transaction, and ON takes back only OFF.
  client.send('MULTI\r\nCLIENT REPLY SKIP\r\nCLIENT REPLY ON\r\n');
  expect(client.call('EXEC')).toBe('*2\r\n+OK\r\n');
  expect([client.call('PING'), client.call('PING')]).toEqual(['', '+PONG\r\n']);
});

test('RESET leaves what CLIENT NO-EVICT and SKIP have said, and takes OFF back', () => {
  const client = new TestNode().connect();
  client.call('CLIENT', 'REPLY', 'SKIP');
  expect([client.call('RESET'), client.call('PING')]).toEqual(['', '+PONG\r\n']);
  client.call('CLIENT', 'REPLY', 'OFF');
  expect([client.call('RESET'), client.call('PING')]).toEqual(['+RESET\r\n', '+PONG\r\n']);
  client.call('CLIENT', 'NO-EVICT', 'on');
  client.call('RESET');
  expect(client.call('CLIENT', 'LIST')).toContain(' flags=e ');
});

test('MONITOR shows what ran, without secrets', () => {
  const node = new TestNode();
  const [monitor, client] = [node.connect(), node.connect()];
  monitor.call('MONITOR');
  monitor.received = '';
  client.call('SET', 'a', 'b c');
  expect(monitor.received).toMatch(/^\+\d+\.\d{6} \[0 127\.0\.0\.1:40000\] "SET" "a" "b c"\r\n$/);
  monitor.received = '';
  client.call('SELECT', '2');
  expect(monitor.received).toMatch(/ \[2 127\.0\.0\.1:40000\] "SELECT" "2"\r\n$/);
  node.stepUs = 7;
  monitor.received = '';
  for (let i = 0; i < 3; i++) client.call('PING');
  const micros = [...monitor.received.matchAll(/\.(\d{6}) /g)].map(
    (found) => Number(found[1]) % 1000,
  );
  expect(new Set(micros).size).toBe(3);
});

test('MONITOR shows an EXEC that is refused, for it ends the transaction', () => {
  const node = new TestNode();
  const [monitor, client, other] = [node.connect(), node.connect(), node.connect()];
  client.call('MULTI');
  client.call('SET', 'a', 'b');
  other.call('CONFIG', 'SET', 'min-replicas-to-write', '2');
  monitor.call('MONITOR');
  monitor.received = '';
  expect(client.call('EXEC')).toContain('EXECABORT Transaction discarded because of: NOREPLICAS');
  expect(monitor.received).toMatch(/ "EXEC"\r\n$/);
});

test('DEBUG needs the setting that allows it', () => {
  const refused = new TestNode().connect().call('DEBUG', 'SLEEP', '0');
  expect(refused).toContain('-ERR DEBUG command not allowed.');
  expect(new TestNode('enable-debug-command local\n').connect().call('DEBUG', 'SLEEP', '0')).toBe(
    '+OK\r\n',
  );
});

test('MODULE LIST is answered to anybody, and only what loads and unloads needs the setting', () => {
  const client = new TestNode().connect();
  expect(client.call('MODULE', 'LIST')).toBe('*0\r\n');
  expect(client.call('MODULE', 'LOAD', 'x')).toContain('-ERR MODULE command not allowed.');
});

test('a key with a time to live goes by itself, and CONFIG SET takes effect at once', () => {
  const node = new TestNode();
  const [client, listener] = [node.connect(), node.connect()];
  client.call('CONFIG', 'SET', 'notify-keyspace-events', 'Ex');
  listener.call('SUBSCRIBE', '__keyevent@0__:expired');
  listener.received = '';
  client.call('SET', 'a', '1', 'PX', '50');
  node.pass(1000);
  expect(listener.received).toContain('__keyevent@0__:expired\r\n$1\r\na\r\n');
  expect(client.call('DBSIZE')).toBe(':0\r\n');
});

test('SHUTDOWN ends the node in order', () => {
  const node = new TestNode();
  const client = node.connect();
  client.call('SHUTDOWN');
  expect(node.endedWith).toBe(0);
});

test('a client that leaves takes its subscriptions, watches and place with it', () => {
  const node = new TestNode('maxclients 1\n');
  const client = node.connect();
  client.call('SUBSCRIBE', 'news');
  client.disconnect();
  expect(node.connect().call('PUBSUB', 'NUMSUB', 'news')).toBe('*2\r\n$4\r\nnews\r\n:0\r\n');
});

test('a client that said QUIT is gone once it has the answer, whenever its side hangs up', () => {
  const node = new TestNode();
  const [leaving, other] = [node.connect(), node.connect()];
  leaving.call('SUBSCRIBE', 'ch');
  expect(leaving.call('QUIT')).toBe('+OK\r\n');
  expect(other.call('PUBSUB', 'CHANNELS')).toBe('*0\r\n');
  expect(other.call('CLIENT', 'LIST').match(/id=/g)).toHaveLength(1);
});

test('an alarm that rings early is set again', () => {
  const node = new TestNode();
  const before = node.alarmAt;
  node.alarmAt = undefined;
  node.node.wake();
  expect(node.alarmAt).toBe(before);
});

test('replies of several turns leave together where the world asks for them', () => {
  const node = new TestNode('', true);
  const [client, other] = [node.connect(), node.connect()];
  expect(client.call('SET', 'a', '1') + other.call('GET', 'a')).toBe('');
  expect(node.sendsAsked).toBe(1);
  node.node.send();
  expect([client.received, other.received]).toEqual(['+OK\r\n', '$1\r\n1\r\n']);
  expect(client.call('PING')).toBe('');
  expect(node.sendsAsked).toBe(2);
});

test('a long reply and the last ones of a node do not wait for others', () => {
  const node = new TestNode('', true);
  const client = node.connect();
  client.call('SET', 'a', 'x'.repeat(20_000));
  expect(client.call('GET', 'a')).toContain('x'.repeat(20_000));
  client.call('PING');
  expect(client.call('SHUTDOWN', 'NOSAVE')).toBe('+PONG\r\n');
  expect(client.isClosed).toBe(true);
});

test('a stream whose ids are further apart than a signed distance goes through DUMP and RESTORE', () => {
  const client = new TestNode('').connect();
  client.call('XADD', 's', '1', 'a', 'b');
  client.call('XADD', 's', '18446744073709551615', 'c', 'd');
  const payload = client.call('DUMP', 's').replace(/^\$\d+\r\n([^]*)\r\n$/, '$1');
  expect(client.call('RESTORE', 't', '0', payload)).toBe('+OK\r\n');
  expect(client.call('XRANGE', 't', '-', '+')).toBe(client.call('XRANGE', 's', '-', '+'));
});

test('a replica that asks for an answer gets none and goes, for it would stand in the stream', () => {
  const node = new TestNode();
  expect(node.connect().call('PSYNC', 'a'.repeat(40), 'x')).toBe(
    '-ERR value is not an integer or out of range\r\n',
  );
  for (const call of [['PING'], ['GET', 'a'], ['REPLCONF', 'listening-port', '1'], ['NOPE']]) {
    const replica = node.connect();
    replica.call('SYNC');
    node.settle();
    expect(replica.call(...call)).toBe('');
    expect(replica.isClosed).toBe(true);
  }
  const replica = node.connect();
  replica.call('SYNC');
  node.settle();
  expect(replica.call('REPLCONF', 'ACK', '0')).toBe('');
  expect(replica.isClosed).toBe(false);
});
