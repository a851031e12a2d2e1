import { countOf, idAt, rowBlock, valueAt } from '../../src/core/row-block.ts';
import { bytesEqual, copyBytes } from '../../src/shared/bytes.ts';
import type { Commit, PackedStorage, RecordRow, Storage, StorageAdapter } from '../../src/storage/storage-adapter.ts';
import { library } from './library.ts';

interface Statement {
  run(...values: readonly unknown[]): unknown;
  get(...values: readonly unknown[]): unknown;
  all(...values: readonly unknown[]): unknown[];
}

interface Database {
  exec(sql: string): void;
  prepare(sql: string): Statement;
  close(): void;
}

interface Row {
  readonly id: string;
  readonly bytes: Uint8Array;
}

/** The greatest text there is, in the order of bytes. */
const LAST = '\u{10ffff}';

/**
 * An adapter that keeps rows in a file of SQLite, as a host may: what is not read is not in memory. Its order is that of UTF-8 bytes: for ids
 * without surrogates, as here, that of the contract.
 *
 * @param isPacked - whether it gives and takes rows packed as well
 */
export function sqliteStorage(path: string, isPacked: boolean): StorageAdapter {
  return {
    async open() {
      const { default: open } = await library<{ readonly default: new (path: string) => Database }>('better-sqlite3');
      return new SqliteStorage(new open(path), isPacked);
    },
  };
}

class SqliteStorage implements Storage {
  readonly packed?: PackedStorage;
  readonly #database: Database;
  readonly #statements = new Map<string, Statement>();

  constructor(database: Database, isPacked: boolean) {
    this.#database = database;
    // What is measured is memory, not the disk.
    database.exec('pragma journal_mode = wal; pragma synchronous = off');
    database.exec('create table if not exists record (object text, id text, bytes blob, primary key (object, id)) without rowid; create table if not exists state (key text primary key, bytes blob) without rowid');
    if (isPacked) this.packed = { readAround: async ({ object, ids }) => this.#blockOf(this.#readMany(object, Array.from({ length: countOf(ids) }, (_, row) => idAt(ids, row)))), scan: async (range) => this.#scan(range) };
  }

  async readRecords(keys: Parameters<Storage['readRecords']>[0]): ReturnType<Storage['readRecords']> {
    return keys.map(({ object, id }) => (this.#sql('select bytes from record where object = ? and id = ?').get(object, id) as Row | undefined)?.bytes).map((bytes) => bytes && copyBytes(bytes));
  }

  async scanRecords({ object, after = '', limit }: Parameters<Storage['scanRecords']>[0]): Promise<readonly RecordRow[]> {
    const rows = this.#sql('select id, bytes from record where object = ? and id > ? order by id limit ?').all(object, after, limit === Infinity ? -1 : limit) as Row[];
    return rows.map(({ id, bytes }) => ({ object, id, bytes: copyBytes(bytes) }));
  }

  async scanState({ prefix, after = '', limit }: Parameters<Storage['scanState']>[0]): ReturnType<Storage['scanState']> {
    const rows = this.#sql('select key, bytes from state where key >= ? and key <= ? and key > ? order by key limit ?').all(prefix, prefix + LAST, after, limit === Infinity ? -1 : limit) as { readonly key: string; readonly bytes: Uint8Array }[];
    return rows.map(({ key, bytes }) => ({ key, bytes: copyBytes(bytes) }));
  }

  async commit({ expect = [], putRecords = [], putPacked = [], removeRecords = [], putState = [], removeState = [] }: Commit): Promise<'done' | 'stale'> {
    for (const { key, bytes } of expect) {
      const held = (this.#sql('select bytes from state where key = ?').get(key) as Row | undefined)?.bytes;
      if (held === undefined || bytes === null ? held !== undefined || bytes !== null : !bytesEqual(held, bytes)) return 'stale';
    }
    const put = this.#sql('insert or replace into record values (?, ?, ?)');
    this.#database.exec('begin');
    for (const { object, id } of removeRecords) this.#sql('delete from record where object = ? and id = ?').run(object, id);
    for (const { object, block } of putPacked) for (let row = 0; row < countOf(block); row++) put.run(object, idAt(block, row), valueAt(block, row));
    for (const { object, id, bytes } of putRecords) put.run(object, id, bytes);
    for (const key of removeState) this.#sql('delete from state where key = ?').run(key);
    for (const { key, bytes } of putState) this.#sql('insert or replace into state values (?, ?)').run(key, bytes);
    this.#database.exec('commit');
    return 'done';
  }

  async close(): Promise<void> {
    this.#database.close();
  }

  #scan({ object, after = '', upTo = LAST, limitBytes }: Parameters<PackedStorage['scan']>[0]): Uint8Array[] {
    const rows: Row[] = [];
    for (let bytes = 0, from = after; bytes < limitBytes; ) {
      const read = this.#sql('select id, bytes from record where object = ? and id > ? and id <= ? order by id limit 500').all(object, from, upTo) as Row[];
      rows.push(...read);
      if (read.length < 500) break;
      bytes += read.reduce((sum, row) => sum + row.bytes.length, 0);
      from = read.at(-1)!.id;
    }
    return this.#blockOf(rows);
  }

  #readMany(object: string, ids: readonly string[]): Row[] {
    return ids.flatMap((id) => (this.#sql('select id, bytes from record where object = ? and id = ?').get(object, id) as Row | undefined) ?? []);
  }

  #blockOf(rows: readonly Row[]): Uint8Array[] {
    return rows.length === 0 ? [] : [rowBlock(rows)];
  }

  #sql(sql: string): Statement {
    const known = this.#statements.get(sql) ?? this.#database.prepare(sql);
    this.#statements.set(sql, known);
    return known;
  }
}
