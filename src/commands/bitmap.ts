/** The bitmap commands: their facts, as COMMAND tells them, and what runs them. */
import { getbit, setbit } from './bitmap-bit.ts';
import { bitcount, bitpos } from './bitmap-count.ts';
import { bitfield, bitfieldRo } from './bitmap-field.ts';
import { bitop } from './bitmap-operation.ts';
import { keyAt, keysFrom } from './key-specs.ts';
import type { CommandSpec } from './spec.ts';

export const bitmapCommands: readonly CommandSpec[] = [
  {
    name: 'setbit',
    since: '2.2.0',
    group: 'bitmap',
    arity: 4,
    flags: ['write', 'denyoom'],
    categories: ['@write', '@bitmap', '@slow'],
    keys: [keyAt(1, 'RW', 'access', 'update')],
    run: setbit,
  },
  {
    name: 'getbit',
    since: '2.2.0',
    group: 'bitmap',
    arity: 3,
    flags: ['readonly', 'fast'],
    categories: ['@read', '@bitmap', '@fast'],
    keys: [keyAt(1, 'RO', 'access')],
    run: getbit,
  },
  {
    name: 'bitcount',
    since: '2.6.0',
    group: 'bitmap',
    arity: -2,
    flags: ['readonly'],
    categories: ['@read', '@bitmap', '@slow'],
    keys: [keyAt(1, 'RO', 'access')],
    run: bitcount,
  },
  {
    name: 'bitpos',
    since: '2.8.7',
    group: 'bitmap',
    arity: -3,
    flags: ['readonly'],
    categories: ['@read', '@bitmap', '@slow'],
    keys: [keyAt(1, 'RO', 'access')],
    run: bitpos,
  },
  {
    name: 'bitop',
    since: '2.6.0',
    group: 'bitmap',
    arity: -4,
    flags: ['write', 'denyoom'],
    categories: ['@write', '@bitmap', '@slow'],
    keys: [keyAt(2, 'OW', 'update'), keysFrom(3, 'RO', 'access')],
    run: bitop,
  },
  {
    name: 'bitfield',
    since: '3.2.0',
    group: 'bitmap',
    arity: -2,
    flags: ['write', 'denyoom'],
    categories: ['@write', '@bitmap', '@slow'],
    keys: [
      {
        ...keyAt(1, 'RW', 'access', 'update', 'variable_flags'),
        notes: 'This command allows both access and modification of the key',
      },
    ],
    run: bitfield,
  },
  {
    name: 'bitfield_ro',
    since: '6.0.0',
    group: 'bitmap',
    arity: -2,
    flags: ['readonly', 'fast'],
    categories: ['@read', '@bitmap', '@fast'],
    keys: [keyAt(1, 'RO', 'access')],
    run: bitfieldRo,
  },
];
