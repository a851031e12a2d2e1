import { CRM_LAYOUT } from '../crm-rows.ts';
import type { FieldValue } from '../../../src/protocol/field.ts';
import type { FeedRecord, RecordValues } from '../feed-data.ts';
import { library } from '../library.ts';
import { tableContender } from './record-table.ts';

interface Statement {
  run(...values: readonly unknown[]): unknown;
  get(...values: readonly unknown[]): unknown;
  iterate(): Iterable<Record<string, unknown>>;
}

interface Database {
  exec(sql: string): void;
  prepare(sql: string): Statement;
  transaction(work: (records: Iterable<FeedRecord>) => void): (records: Iterable<FeedRecord>) => void;
  close(): void;
}

const FIELDS = CRM_LAYOUT.fields.map(({ name }) => `"${name}"`);

/** better-sqlite3: a table in memory, a column per field, one transaction with a prepared statement. */
export const sqlite = tableContender({
  name: 'better-sqlite3',
  note: 'native code, which browsers have not; a table in memory, a column per field, one transaction',
  mostRecords: 1_000_000,
  async open() {
    const { default: Sqlite } = await library<{ default: new (file: string) => Database }>('better-sqlite3');
    const database = new Sqlite(':memory:');
    database.exec(`create table orders (id text primary key, version integer not null, ${FIELDS.join(', ')}) without rowid`);
    const insert = database.prepare(`insert or replace into orders (id, version, ${FIELDS.join(', ')}) values (?, ?, ${FIELDS.map(() => '?').join(', ')})`);
    const version = database.prepare('select version from orders where id = ?');
    const write = database.transaction((records) => {
      for (const { id, version, values } of records) insert.run(id, version, ...CRM_LAYOUT.fields.map(({ name }) => toColumn(values[name]!)));
    });
    return {
      load(rows) {
        database.exec('delete from orders');
        write(rows);
      },
      versionsOf: (ids) => ids.map((id) => (version.get(id) as { version: number } | undefined)?.version ?? 0),
      put: (records) => write(records),
      *records() {
        for (const { id, version, ...columns } of database.prepare('select * from orders').iterate()) yield { id: id as string, version: version as number, values: toValues(columns) };
      },
      close: () => database.close(),
    };
  },
});

function toColumn(value: FieldValue): unknown {
  if (typeof value === 'boolean') return value ? 1 : 0;
  return Array.isArray(value) ? JSON.stringify(value) : value;
}

function toValues(columns: Readonly<Record<string, unknown>>): RecordValues {
  return Object.fromEntries(
    CRM_LAYOUT.fields.map(({ name, type }) => {
      const column = columns[name] as FieldValue;
      if (column === null) return [name, null];
      if (type === 'boolean') return [name, column === 1];
      return [name, type === 'multiPicklist' ? (JSON.parse(column as string) as FieldValue) : column];
    }),
  );
}
