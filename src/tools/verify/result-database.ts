/** Findings as a SQLite database, in the two tables that readers of RedisFullCheck know. Node has SQLite from 22.5 on. */
import { rmSync } from 'node:fs';
import { ToolError } from '../errors.ts';
import {
  type Finding,
  conflictOf,
  namedParts,
  partConflictOf,
  textIn,
  textsOf,
} from './finding.ts';
import type { ResultSink } from './result-sink.ts';

/** As much of `node:sqlite` as is needed. */
export interface SqliteDatabase {
  exec(sql: string): void;
  prepare(sql: string): {
    run(...values: readonly (string | number | bigint | Uint8Array | null)[]): {
      readonly lastInsertRowid: number | bigint;
    };
  };
  close(): void;
}

type SqliteModule = { readonly DatabaseSync: new (path: string) => SqliteDatabase };

/** Not written where it is used, because the types and the bundler of an older Node do not know it. */
const MODULE: string = 'node:sqlite';

/** A new, empty database; a file of that name goes. Throws ToolError where Node has none. */
export async function openSqlite(path: string): Promise<SqliteDatabase> {
  let sqlite: SqliteModule;
  try {
    sqlite = (await import(MODULE)) as SqliteModule;
  } catch (error) {
    throw new ToolError(
      'LOCAL',
      `Cannot write "${path}": Node ${process.version} has no SQLite, from 22.5 on it has; name a .ndjson file instead`,
      error,
    );
  }
  rmSync(path, { force: true });
  return new sqlite.DatabaseSync(path);
}

/** Whether `openSqlite` can work here. */
export async function hasSqlite(): Promise<boolean> {
  return import(MODULE).then(
    () => true,
    () => false,
  );
}

const SCHEMA = `
CREATE TABLE key (
  id INTEGER PRIMARY KEY,
  key TEXT NOT NULL,
  type TEXT,
  conflict_type TEXT NOT NULL,
  db INTEGER NOT NULL,
  target_db INTEGER NOT NULL,
  detail TEXT,
  repair TEXT NOT NULL
);
CREATE TABLE field (
  id INTEGER PRIMARY KEY,
  field TEXT NOT NULL,
  conflict_type TEXT NOT NULL,
  key_id INTEGER NOT NULL REFERENCES key (id),
  source TEXT,
  target TEXT
);
BEGIN;`;

export class DatabaseFile implements ResultSink {
  readonly #database: SqliteDatabase;
  readonly #addKey: ReturnType<SqliteDatabase['prepare']>;
  readonly #addField: ReturnType<SqliteDatabase['prepare']>;

  constructor(database: SqliteDatabase) {
    this.#database = database;
    database.exec(SCHEMA);
    this.#addKey = database.prepare(
      'INSERT INTO key (key, type, conflict_type, db, target_db, detail, repair) VALUES (?, ?, ?, ?, ?, ?, ?)',
    );
    this.#addField = database.prepare(
      'INSERT INTO field (field, conflict_type, key_id, source, target) VALUES (?, ?, ?, ?, ?)',
    );
  }

  add(finding: Finding): void {
    const { pair, key, difference, repair } = finding;
    const { type = null } = difference;
    const [, , detail] = textsOf(finding);
    const { lastInsertRowid } = this.#addKey.run(
      ...[bytesOrText(key), type, conflictOf(difference), pair.source, pair.target, detail, repair],
    );
    for (const part of namedParts(difference)) {
      this.#addField.run(
        value(part.part) ?? '',
        partConflictOf(part),
        lastInsertRowid,
        value(part.source),
        value(part.target),
      );
    }
  }

  end(): void {
    this.#database.exec('COMMIT');
    this.#database.close();
  }
}

function value(text: string | undefined): string | Uint8Array | null {
  return text === undefined ? null : bytesOrText(Buffer.from(text, 'latin1'));
}

/** What is no UTF-8 is stored as a blob. */
function bytesOrText(bytes: Buffer): string | Uint8Array {
  return textIn(bytes) ?? bytes;
}
