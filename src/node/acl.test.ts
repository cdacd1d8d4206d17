/** Goal: a node obeys its ACL wherever a call can come from. Method: one node, several clients, the texts of redis-server 7.0.15. */
import { expect, test } from 'vitest';
import { TestNode } from './test-node.ts';

const NO_KEY =
  '-NOPERM this user has no permissions to access one of the keys used as arguments\r\n';
const NO_CHANNEL =
  '-NOPERM this user has no permissions to access one of the channels used as arguments\r\n';
const noCommand = (name: string): string =>
  `-NOPERM this user has no permissions to run the '${name}' command\r\n`;

/** A node with the user `u`, whose client is logged in, and an operator's client. */
function nodeWithUser(...rules: string[]) {
  const node = new TestNode();
  const operator = node.connect();
  expect(operator.call('ACL', 'SETUSER', 'u', 'on', '>p', ...rules)).toBe('+OK\r\n');
  const client = node.connect();
  expect(client.call('AUTH', 'u', 'p')).toBe('+OK\r\n');
  return { node, operator, client };
}

test('commands, keys and channels that a user has no right to are refused', () => {
  const { client } = nodeWithUser('+@all', '-lpush', '-config|set', '~a*', '%R~r*', '&ch*');
  expect(client.call('SET', 'a1', '1')).toBe('+OK\r\n');
  expect(client.call('GET', 'r1')).toBe('$-1\r\n');
  expect(client.call('SET', 'r1', '1')).toBe(NO_KEY);
  expect(client.call('SET', 'a1', '1', 'GET')).toBe('$1\r\n1\r\n');
  expect(client.call('MSET', 'a1', '1', 'b', '2')).toBe(NO_KEY);
  expect(client.call('COPY', 'a1', 'r1')).toBe(NO_KEY);
  expect(client.call('LPUSH', 'a1', '1')).toBe(noCommand('lpush'));
  expect(client.call('CONFIG', 'SET', 'hz', '10')).toBe(noCommand('config|set'));
  expect(client.call('PUBLISH', 'other', 'x')).toBe(NO_CHANNEL);
  expect(client.call('PSUBSCRIBE', 'ch1*')).toBe(NO_CHANNEL);
  expect(client.call('SORT', 'a1', 'BY', 'w*')).toContain('-ERR BY option of SORT denied');
  expect(client.call('NOSUCH')).toContain('-ERR unknown command');
});

test('CLIENT KILL USER ends the connections of a user that there is', () => {
  const { client, operator } = nodeWithUser();
  expect(operator.call('CLIENT', 'KILL', 'USER', 'nobody')).toBe("-ERR No such user 'nobody'\r\n");
  expect(operator.call('CLIENT', 'KILL', 'USER', 'u')).toBe(':1\r\n');
  expect(client.isClosed).toBe(true);
  expect(operator.call('PING')).toBe('+PONG\r\n');
});

test('who has no rights left can still log in as somebody else', () => {
  const { client } = nodeWithUser();
  expect(client.call('PING')).toBe(noCommand('ping'));
  expect(client.call('AUTH', 'default', 'anything')).toBe('+OK\r\n');
  expect(client.call('ACL', 'WHOAMI')).toBe('$7\r\ndefault\r\n');
});

test('a transaction is refused when it is queued, and when rights are gone at its end', () => {
  const { client, operator } = nodeWithUser('+@all', '~*');
  client.call('MULTI');
  expect(client.call('SET', 'k', '1')).toBe('+QUEUED\r\n');
  expect(client.call('INCR', 'k')).toBe('+QUEUED\r\n');
  operator.call('ACL', 'SETUSER', 'u', '-incr');
  expect(client.call('EXEC')).toBe(
    '*2\r\n+OK\r\n-NOPERM ACLs rules changed between the moment the transaction was accumulated and the EXEC call. ' +
      'This command is no longer allowed for the following reason: no permission to execute the command or subcommand\r\n',
  );
  client.call('MULTI');
  expect(client.call('INCR', 'k')).toBe(noCommand('incr'));
  expect(client.call('EXEC')).toContain('-EXECABORT');
});

test('clients of a deleted user, and listeners who lost their channel, are disconnected', () => {
  const { client, node, operator } = nodeWithUser('+@all', '~*', '&*');
  const listener = node.connect();
  listener.call('AUTH', 'u', 'p');
  listener.call('SUBSCRIBE', 'news');
  operator.call('ACL', 'SETUSER', 'u', 'resetchannels', '&news');
  expect([client.isClosed, listener.isClosed]).toEqual([false, false]);
  operator.call('ACL', 'SETUSER', 'u', 'resetchannels', '&other');
  expect([client.isClosed, listener.isClosed]).toEqual([false, true]);
  expect(operator.call('ACL', 'DELUSER', 'u', 'nobody')).toBe(':1\r\n');
  expect(client.isClosed).toBe(true);
  expect(operator.call('ACL', 'DELUSER', 'default')).toContain("-ERR The 'default' user cannot");
});

test('requirepass and the default user are one', () => {
  const node = new TestNode();
  const operator = node.connect();
  operator.call('CONFIG', 'SET', 'requirepass', 'secret');
  const client = node.connect();
  expect(client.call('GET', 'k')).toBe('-NOAUTH Authentication required.\r\n');
  expect(client.call('AUTH', 'wrong')).toContain('-WRONGPASS');
  expect(client.call('AUTH', 'secret')).toBe('+OK\r\n');
  operator.call('ACL', 'SETUSER', 'default', 'off');
  expect(client.call('GET', 'k')).toBe('$-1\r\n');
  expect(node.connect().call('AUTH', 'secret')).toContain('-WRONGPASS');
});

test('what was refused stands in the log', () => {
  const { client, operator } = nodeWithUser('+get', '~a');
  client.call('GET', 'b');
  client.call('GET', 'b');
  client.call('AUTH', 'nobody', 'x');
  const log = operator.call('ACL', 'LOG');
  expect(log).toContain('reason\r\n$4\r\nauth\r\n$7\r\ncontext\r\n$8\r\ntoplevel');
  expect(log).toContain('count\r\n:2\r\n$6\r\nreason\r\n$3\r\nkey');
  operator.call('ACL', 'LOG', 'RESET');
  expect(operator.call('ACL', 'LOG')).toBe('*0\r\n');
});

test('users come from the configuration or from a file, and a file is saved and read again', () => {
  const declared = new TestNode('user u on >p +get ~*\nuser default on nopass +@all ~* &*\n');
  expect(declared.connect().call('AUTH', 'u', 'p')).toBe('+OK\r\n');
  const node = new TestNode('aclfile users.acl\n', false, {
    'users.acl': 'user u on >p +@all ~*\n',
  });
  const [operator, client] = [node.connect(), node.connect()];
  expect(client.call('AUTH', 'u', 'p')).toBe('+OK\r\n');
  operator.call('ACL', 'SETUSER', 'v', 'on');
  expect(operator.call('ACL', 'SAVE')).toBe('+OK\r\n');
  expect(node.files.read('users.acl')).toContain('user v on resetchannels -@all\n');
  expect(operator.call('ACL', 'LOAD')).toBe('+OK\r\n');
  expect([client.isClosed, operator.isClosed]).toEqual([true, false]);
  node.files.replace('users.acl', 'user u +nope\n');
  expect(operator.call('ACL', 'LOAD')).toContain('-ERR users.acl:1: Error in applying operation');
  expect(operator.call('ACL', 'USERS')).toBe('*3\r\n$7\r\ndefault\r\n$1\r\nu\r\n$1\r\nv\r\n');
});

test.each([
  ['user u on +nope\n', "Error loading ACL rule '+nope' for the user named 'u'"],
  ['user u on (+get\n', 'Unmatched parenthesis'],
  [
    'aclfile none.acl\n',
    "Aborting Redis startup because of ACL errors: Error loading ACLs, opening file 'none.acl'",
  ],
  ['aclfile none.acl\nuser u on\n', 'please define either an ACL file or declare users directly'],
])('a node does not start with %j', (config, reason) => {
  expect(new TestNode(config).flaw).toContain(reason);
});
