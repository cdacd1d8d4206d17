/**
 * Goal: the debugger of scripts stops where redis-server 7.0.15 stops, and tells what it tells. Method: whole sessions that were
 * recorded from the real server (`npm run interop -- debugger` compares with it again) run on a node without sockets.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { type TestClient, TestNode } from '../../../src/node/test-node.ts';
import { type Conversation, readScripts, transcript } from './sessions.ts';

const HERE = dirname(fileURLToPath(import.meta.url));

class NodeConversation implements Conversation {
  readonly #node = new TestNode();
  readonly #other = this.#node.connect();
  readonly client: TestClient = this.#node.connect();

  async prepare(args: readonly string[]): Promise<void> {
    this.#other.call(...args);
  }

  async send(args: readonly string[]): Promise<string> {
    this.client.call(...args);
    this.#node.settle();
    return this.client.received;
  }
}

describe.each(readdirSync(HERE).filter((name) => name.endsWith('.txt')))('%s', (file) => {
  const recorded = readFileSync(join(HERE, file), 'latin1');
  const sections = recorded.split(/^(?==== )/m);
  const scripts = readScripts(recorded);

  test('holds sessions', () => {
    expect(scripts.length).toBeGreaterThan(0);
    expect(sections).toHaveLength(scripts.length);
  });

  test.each(scripts.map((script, index) => [script.name, script, sections[index]!] as const))(
    '%s',
    async (_name, script, section) => {
      const talk = new NodeConversation();
      expect(await transcript(script, talk, 'SYNC')).toBe(section);
      expect(talk.client.isClosed).toBe(section.includes('<endsession>'));
    },
  );
});
