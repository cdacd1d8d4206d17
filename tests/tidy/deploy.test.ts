/**
 * Goal: the example files for running it elsewhere can be read, and speak of figures and files that exist.
 * Method: their own formats' parsers; no engine is here to run them.
 */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { EXPORTER_NAMES } from '../../src/tools/metrics/test-exporter-names.ts';
import { ROOT } from './source-tree.ts';

const DEPLOY = join(ROOT, 'deploy');
const DOCKER_WORDS = new Set(
  [
    'FROM',
    'WORKDIR',
    'COPY',
    'RUN',
    'ENV',
    'USER',
    'VOLUME',
    'EXPOSE',
    'HEALTHCHECK',
    'CMD',
  ].flat(),
);

interface Compose {
  readonly services: Readonly<
    Record<string, { readonly volumes?: readonly string[]; readonly depends_on?: object }>
  >;
  readonly volumes: object;
}

interface Alerts {
  readonly groups: readonly {
    readonly rules: readonly { readonly alert: string; readonly expr: string }[];
  }[];
}

interface Board {
  readonly panels: readonly {
    readonly gridPos: {
      readonly x: number;
      readonly y: number;
      readonly w: number;
      readonly h: number;
    };
    readonly targets: readonly { readonly expr: string }[];
  }[];
}

test('YAML files are YAML', () => {
  const files = [DEPLOY, join(DEPLOY, 'grafana')].flatMap((folder) =>
    readdirSync(folder)
      .filter((name) => /\.ya?ml$/.test(name))
      .map((name) => join(folder, name)),
  );
  expect(files.length).toBeGreaterThan(3);
  for (const file of files) expect(parseYaml(readFileSync(file, 'utf8'))).toBeTypeOf('object');
});

test('the composition names services and files that are there', () => {
  const file = join(DEPLOY, 'compose.yaml');
  const compose = parseYaml(readFileSync(file, 'utf8'), { merge: true }) as Compose;
  const names = Object.keys(compose.services);
  for (const [name, { volumes = [], depends_on: needed = {} }] of Object.entries(
    compose.services,
  )) {
    const needs = Array.isArray(needed) ? (needed as string[]) : Object.keys(needed);
    expect(names, name).toEqual(expect.arrayContaining(needs));
    for (const [source = ''] of volumes.map((volume) => volume.split(':'))) {
      const isThere = source.startsWith('.')
        ? existsSync(resolve(dirname(file), source))
        : source in compose.volumes;
      expect(isThere, `${name}: ${source}`).toBe(true);
    }
  }
});

test('the Dockerfile has instructions only, and copies what the build makes', () => {
  const text = readFileSync(join(DEPLOY, 'Dockerfile'), 'utf8').replaceAll(/\\\n\s*/g, ' ');
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  for (const line of lines) expect(DOCKER_WORDS.has(line.split(' ')[0] ?? ''), line).toBe(true);
  for (const [, json = ''] of text.matchAll(/CMD (\[.*\])/g)) {
    expect(JSON.parse(json)).toBeInstanceOf(Array);
  }
  const { bin } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { bin: object };
  for (const program of Object.values(bin) as string[]) expect(text).toContain(program);
});

test('board and alerts ask for figures that exist', () => {
  const board = JSON.parse(readFileSync(join(DEPLOY, 'grafana', 'slotline.json'), 'utf8')) as Board;
  const alerts = parseYaml(readFileSync(join(DEPLOY, 'alerts.yml'), 'utf8')) as Alerts;
  const exprs = [
    ...board.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)),
    ...alerts.groups.flatMap(({ rules }) => rules.map(({ expr }) => expr)),
  ];
  const own = readFileSync(join(ROOT, 'src/tools/metrics/deployment.ts'), 'utf8');
  const unknown = exprs
    .flatMap((expr) => expr.match(/\b(?:redis|slotline)_\w+/g) ?? [])
    .filter((name) =>
      name.startsWith('redis_')
        ? !EXPORTER_NAMES.has(name)
        : !own.includes(`'${name.replace('slotline_', '')}'`),
    );
  expect(unknown).toEqual([]);
  for (const { gridPos } of board.panels) expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
});
