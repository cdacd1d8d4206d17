/** Support of the node's tests: a node with a replica that is made of bytes and says only what a test has it say. */
import { type TestClient, TestNode } from './test-node.ts';

/** A node with a replica on port 7777 that has acknowledged nothing but its snapshot, and a write behind that. */
export function nodeWithReplica(config = ''): {
  readonly node: TestNode;
  readonly client: TestClient;
  readonly replica: TestClient;
} {
  const node = new TestNode(`save ""\n${config}`);
  const [client, replica] = [node.connect(), node.connect()];
  replica.call('REPLCONF', 'listening-port', '7777', 'capa', 'eof', 'capa', 'psync2');
  replica.call('PSYNC', '?', '-1');
  node.settle();
  replica.call('REPLCONF', 'ACK', '0');
  client.call('SET', 'k', '1');
  return { node, client, replica };
}

/** The replica says that it has all that `client`'s node wrote. */
export function acknowledge(replica: TestClient, client: TestClient): void {
  const offset = /master_repl_offset:(\d+)/.exec(client.call('INFO', 'replication'))![1]!;
  replica.call('REPLCONF', 'ACK', offset);
}
