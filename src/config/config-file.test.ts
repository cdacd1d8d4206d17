import fc from 'fast-check';
import { expect, test } from 'vitest';
import { joinConfigText, parseCommandLine } from './command-line.ts';
import {
  type ConfigReader,
  type LoadedConfig,
  configFailureText,
  loadConfig,
} from './config-file.ts';
import { ConfigStore } from './config-store.ts';

const FILES: Readonly<Record<string, string>> = {
  'a.conf': 'port 1\ninclude b.conf\n',
  'b.conf': 'hz 20\ntimeout bad\n',
  'loop.conf': 'include loop.conf\n',
};
const reader: ConfigReader = {
  read: (path) => {
    const text = FILES[path];
    return text === undefined ? { error: 'No such file or directory' } : { text };
  },
  expand: (pattern) => (pattern.includes('*') ? [] : [pattern]),
};

function load(text: string, isSentinel = false): LoadedConfig | string {
  const result = loadConfig({ text, reader, isSentinel });
  return result.ok ? result.config : configFailureText(result.failure, '7.0.15');
}

/** CONFIG GET of a name after loading; the load must succeed. */
function value(text: string, name: string): string | undefined {
  const config = load(text);
  if (typeof config === 'string') return config;
  return new ConfigStore(config.settings).get([name])[0]?.[1];
}

test('comments, blanks, case and carriage returns around a directive do not count', () => {
  expect(value('# x\n\n \t PORT  7 \r\n', 'port')).toBe('7');
  expect(value('port 7 # no comment here', 'port')).toContain('wrong number of arguments');
});

test('a failure names the line as redis-server does', () => {
  expect(load('port 7\n\n  hz  "x" \n')).toBe(
    '\n*** FATAL CONFIG FILE ERROR (Redis 7.0.15) ***\nReading the configuration file, at line 3\n' +
      ">>> 'hz  \"x\"'\nargument couldn't be parsed into an integer\n",
  );
  expect(load('port "7')).toContain('Unbalanced quotes in configuration line');
  for (const line of ['bogus 1', 'include', 'user', 'rename-command get', 'loadmodule']) {
    expect(load(line), line).toContain('Bad directive or wrong number of arguments');
  }
  expect(load('sentinel monitor m 127.0.0.1 1 1')).toContain(
    'sentinel directive while not in sentinel mode',
  );
});

test('older directives that redis-server 7.0.15 forgets are read without a word, others are not', () => {
  const text =
    'lua-replicate-commands yes\nlist-max-ziplist-entries 512\nLIST-MAX-ZIPLIST-VALUE "64"\n';
  expect((load(text) as LoadedConfig).foreign).toEqual([]);
  for (const line of ['lua-replicate-commands', 'list-max-ziplist-value 1 2', 'vm-enabled no']) {
    expect(load(line), line).toContain('Bad directive or wrong number of arguments');
  }
});

test('later names of directives mean the same, and are told from the start of a line only', () => {
  expect(value('primaryauth secret', 'masterauth')).toBe('secret');
  expect(value('PrimaryUser bob', 'masteruser')).toBe('bob');
  expect(value('commandlog-execution-slower-than 5', 'slowlog-log-slower-than')).toBe('5');
  expect(value('commandlog-slow-execution-max-len x', 'slowlog-max-len')).toContain(
    "argument couldn't be parsed into an integer",
  );
  expect(new ConfigStore((load('') as LoadedConfig).settings).get(['primaryauth'])).toEqual([]);
});

test('later directives without an effect here are told of, those that ask for more than there is are refused', () => {
  const text =
    'hide-user-data-from-log yes\nlocale-collate ""\nport 7\nset-max-listpack-entries 128\n';
  expect((load(text) as LoadedConfig).foreign).toEqual([
    { name: 'hide-user-data-from-log', line: { number: 1, text: 'hide-user-data-from-log yes' } },
    { name: 'locale-collate', line: { number: 2, text: 'locale-collate ""' } },
    { name: 'set-max-listpack-entries', line: { number: 4, text: 'set-max-listpack-entries 128' } },
  ]);
  expect(load('port 7\nimport-mode yes')).toContain(
    `at line 2\n>>> 'import-mode yes'\n"import-mode" of other versions can only be no here\n`,
  );
  expect(load('locale-collate de_DE')).toContain('can only be "" here');
  expect(load('locale-collate')).toContain('Bad directive or wrong number of arguments');
});

test('replicaof in cluster mode is refused without a line', () => {
  expect(load('cluster-enabled yes\nreplicaof 127.0.0.1 7\n')).toBe(
    '\n*** FATAL CONFIG FILE ERROR (Redis 7.0.15) ***\nreplicaof directive not allowed in cluster mode\n',
  );
});

test('the first save replaces the built-in points, later ones add, an empty one clears', () => {
  expect(value('', 'save')).toBe('3600 1 300 100 60 10000');
  expect(value('save 5 1\nsave 6 1', 'save')).toBe('5 1 6 1');
  expect(value('save 5 1\nsave ""\nsave 6 1', 'save')).toBe('6 1');
  expect(value('save', 'save')).toBe('');
});

test('include reads where it stands, and its failures count lines in their own file', () => {
  expect(load('include a.conf')).toContain("at line 2\n>>> 'timeout bad'");
  expect(load('include none.conf')).toBe(
    "Fatal error, can't open config file 'none.conf': No such file or directory",
  );
  expect(value('include conf.d/*.conf\nport 9', 'port')).toBe('9');
  expect(load('include loop.conf')).toContain('nested too deeply');
});

test('what configuration does not own is handed on with its line', () => {
  const config = load('user alice on "+@all"\nrename-command DEBUG ""\nloadmodule m.so a\n');
  if (typeof config === 'string') throw new Error(config);
  expect(config.users).toEqual([
    { args: ['alice', 'on', '+@all'], line: { number: 1, text: 'user alice on "+@all"' } },
  ]);
  expect(config.renames.map((d) => d.args)).toEqual([['DEBUG', '']]);
  expect(config.modules.map((d) => d.args)).toEqual([['m.so', 'a']]);
  expect(load('sentinel myid x', true)).toMatchObject({ sentinels: [{ args: ['myid', 'x'] }] });
});

test('the last line of each directive is remembered', () => {
  const config = load('dir /a\nport 1\ndir /b\n');
  if (typeof config === 'string') throw new Error(config);
  expect(config.lines.get('dir')).toEqual({ number: 3, text: 'dir /b' });
});

test('command-line options become lines after the file', () => {
  const cases: readonly (readonly [readonly string[], string])[] = [
    [['--port', '7', '--hz', '5'], 'port "7" \nhz "5" '],
    [['--save', '--port', '7'], 'save ""\nport "7" '],
    [['--port', '7', '--save'], 'port "7" \nsave ""'],
    [['--requirepass', '--port', '7'], 'requirepass "--port" "7" '],
    [['--port 7', '--hz 5'], 'port 7 \nhz 5 '],
    [['--requirepass', 'a b"'], 'requirepass "a b\\"" '],
    [['--sentinel', '--port', '7'], 'sentinel \nport "7" '],
  ];
  for (const [argv, text] of cases) expect(parseCommandLine(argv).optionsText).toBe(text);
  expect(parseCommandLine(['my.conf', '--port', '7', '--sentinel'])).toMatchObject({
    configFile: 'my.conf',
    readsStdin: false,
    isSentinel: true,
  });
  expect(parseCommandLine(['-', '--hz', '5'])).toMatchObject({
    configFile: undefined,
    readsStdin: true,
    optionsText: 'hz "5" ',
  });
  expect(load(joinConfigText('port 7\n', parseCommandLine(['--hz', 'x']).optionsText))).toContain(
    'at line 3\n>>> \'hz "x"\'',
  );
});

test('no text makes loading throw', () => {
  const word = fc.constantFrom(
    'port',
    'save',
    'bind',
    'include',
    'a.conf',
    '"',
    '\\',
    '#',
    '\n',
    ' ',
    '1',
    'x',
  );
  fc.assert(
    fc.property(fc.array(word, { maxLength: 12 }), (words) => {
      load(words.join(' '));
    }),
    { seed: 1, numRuns: 300 },
  );
});
