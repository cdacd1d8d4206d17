/** Goal: results in every format are whole and take any bytes. Method: the same findings are given to each. */
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Changes } from './changes.ts';
import type { Finding } from './finding.ts';
import { type Outcome, Tally } from './outcome.ts';
import { DatabaseFile, hasSqlite, openSqlite } from './result-database.ts';
import { openResults, resultFile } from './result-files.ts';
import type { ResultSink } from './result-sink.ts';

const PAIR = { source: 0, target: 0 };
const FINDINGS: readonly Finding[] = [
  {
    ...{ pair: PAIR, key: Buffer.from('h<1>|'), repair: 'none' },
    difference: {
      ...{ kind: 'value', type: 'hash', partCount: 2 },
      parts: [
        { part: 'f', source: '1', target: '2' },
        { part: 'g', source: undefined, target: '\xff' },
      ],
    },
  },
  {
    ...{ pair: { source: 3, target: 5 }, key: Buffer.from([0xff, 0]), repair: 'done' },
    difference: { kind: 'onlyOnSource', type: 'string' },
  },
];

let dir: string;
beforeEach(() => (dir = mkdtempSync(join(tmpdir(), 'slotline-results-'))));
afterEach(() => rmSync(dir, { recursive: true, force: true }));

function end(sink: ResultSink, findings: readonly Finding[], isFinished = true): Outcome {
  const tally = new Tally();
  for (const finding of findings) {
    tally.add(finding);
    sink.add(finding);
  }
  const outcome = {
    ...{ source: 'a:1', target: 'b:2', startedAt: new Date(0), tally, isFinished, seconds: 1 },
    progress: { round: 3, sourceKeys: 10, targetKeys: 9, suspects: findings.length },
  };
  sink.end(outcome);
  return outcome;
}

async function written(name: string): Promise<string> {
  for (const sink of await openResults([resultFile(join(dir, name))])) end(sink, FINDINGS);
  expect(readdirSync(dir)).toEqual([name]);
  return readFileSync(join(dir, name), 'utf8');
}

test('lines of JSON hold each finding and a summary', async () => {
  const [one, other, summary] = (await written('found.ndjson')).trim().split('\n');
  expect(JSON.parse(one ?? '')).toMatchObject({
    ...{ key: 'h<1>|', kind: 'value' },
    parts: [{}, { part: 'g', targetBase64: '/w==' }],
  });
  expect(JSON.parse(other ?? '')).toMatchObject({ keyBase64: '/wA=', db: 3, targetDb: 5 });
  expect(JSON.parse(summary ?? '')).toMatchObject({ equal: false, repaired: 1 });
});

test('a report counts and lists, and keys are no markup in it', async () => {
  const markdown = await written('found.md');
  expect(markdown).toContain('# Comparison: DIFFERENT');
  expect(markdown).toContain('| keys of another value | 1 |');
  expect(markdown).toContain(String.raw`"h\<1\>\|"`);
  rmSync(join(dir, 'found.md'));
  const page = await written('found.html');
  expect(page).toContain('<td>keys only on the source</td><td>1</td>');
  expect(page).toContain('"h&lt;1&gt;|"');
  expect(() => resultFile('found.txt')).toThrow('must end in');
});

test('lines with tabs are those of RedisFullCheck', async () => {
  const path = join(dir, 'found');
  for (const sink of await openResults([{ path, format: 'tabs' }])) end(sink, FINDINGS);
  const lines = readFileSync(path, 'latin1').split('\n');
  expect(lines.slice(0, 2)).toEqual(['0\tvalue\th<1>|\tf', '0\tlack_source\th<1>|\tg']);
  expect(lines[2]).toMatch(/^3\tlack_target\t/);
});

test('a database gets a row for each key, and one for each part of it', () => {
  const rows: unknown[][] = [];
  const statements: string[] = [];
  const database = {
    exec: (sql: string) => void statements.push(sql),
    prepare: (sql: string) => ({
      run: (...values: readonly unknown[]) => {
        rows.push([/INTO (\w+)/.exec(sql)?.[1], ...values]);
        return { lastInsertRowid: rows.length };
      },
    }),
    close: () => void statements.push('close'),
  };
  end(new DatabaseFile(database), FINDINGS);
  expect(rows).toEqual([
    ['key', 'h<1>|', 'hash', 'value', 0, 0, expect.stringContaining('"g": nothing on'), 'none'],
    ['field', 'f', 'value', 1, '1', '2'],
    ['field', 'g', 'lack_source', 1, null, Buffer.from([0xff])],
    ['key', Buffer.from([0xff, 0]), 'string', 'lack_target', 3, 5, '[repair done]', 'done'],
  ]);
  expect(statements.slice(1)).toEqual(['COMMIT', 'close']);
});

test('a Node without SQLite says so in one line; one that has it opens a database', async () => {
  const opening = openSqlite(join(dir, 'found.sqlite'));
  if (await hasSqlite()) (await opening).close();
  else await expect(opening).rejects.toThrow(/has no SQLite, from 22.5 on it has/);
});

test('a comparison that follows another shows what came and what went', () => {
  const lines: string[] = [];
  const changes = new Changes({
    ...{ isJson: false, json: () => undefined, event: () => undefined, note: () => undefined },
    out: (line) => void lines.push(line),
    paint: (_, text) => text,
  });
  const [one, mended] = FINDINGS as [Finding, Finding];
  const other: Finding = { ...mended, repair: 'none' };
  const shown = (findings: readonly Finding[], isFinished?: boolean): string[] => {
    end(changes, findings, isFinished);
    return lines.splice(0).map((line) => line.slice(0, 9));
  };
  expect(shown([one])).toEqual(['+ "h<1>|"', '1970-01-0']);
  expect(shown([one, other])).toEqual([String.raw`+ "\xff\x`, '1970-01-0']);
  // What a broken comparison did not come to is not equal for that.
  expect(shown([], false)).toEqual(['1970-01-0']);
  expect(shown([other])).toEqual(['- "h<1>|"', '1970-01-0']);
});
