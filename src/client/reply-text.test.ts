/** Goal: what nodes of either family say of themselves is read alike. */
import { expect, test } from 'vitest';
import { replyFacts, serverMode } from './index.ts';

test('the mode of a node is told under one name by Redis and under another by Valkey', () => {
  expect(serverMode(replyFacts('# Server\r\nredis_mode:cluster\r\n'))).toBe('cluster');
  expect(serverMode(replyFacts('redis_version:7.2.4\r\nserver_mode:sentinel\r\n'))).toBe(
    'sentinel',
  );
  expect(serverMode(replyFacts('redis_version:7.2.4\r\n'))).toBeUndefined();
});
