import { CRM_LAYOUT } from '../crm-rows.ts';
import type { FieldValue } from '../../../src/protocol/field.ts';
import type { FeedRecord, RecordValues } from '../feed-data.ts';
import { commonJsLibrary } from '../library.ts';
import { tableContender } from './record-table.ts';

interface Raw extends Record<string, unknown> {
  readonly id: string;
  readonly version: number;
}

interface Database {
  get(table: string): { query(...clauses: readonly unknown[]): { fetch(): Promise<readonly { readonly _raw: Raw }[]> } };
  write(work: () => Promise<unknown>): Promise<unknown>;
  unsafeResetDatabase(): Promise<void>;
}

interface Watermelon {
  readonly Database: new (options: object) => Database;
  readonly Model: new () => object;
  readonly Q: { where(column: string, condition: unknown): unknown; oneOf(values: readonly string[]): unknown };
  appSchema(schema: object): unknown;
  tableSchema(table: object): unknown;
}

interface Changes {
  readonly created: readonly Raw[];
  readonly updated: readonly Raw[];
  readonly deleted: readonly string[];
}

interface Sync {
  synchronize(options: { database: Database; pullChanges(): Promise<{ changes: { orders: Changes }; timestamp: number }>; pushChanges(): Promise<void>; sendCreatedAsUpdated: boolean }): Promise<void>;
}

/** WatermelonDB on LokiJS in memory, through its own `synchronize`. */
export const watermelon = tableContender({
  name: 'WatermelonDB, LokiJS',
  note: 'through its own synchronize, into LokiJS in memory; resolves by column, no groups, no conflict check',
  async open() {
    const { Database, Model, Q, appSchema, tableSchema } = commonJsLibrary<Watermelon>('@nozbe/watermelondb');
    const { default: LokiAdapter } = commonJsLibrary<{ default: new (options: object) => object }>('@nozbe/watermelondb/adapters/lokijs');
    const { synchronize } = commonJsLibrary<Sync>('@nozbe/watermelondb/sync');
    commonJsLibrary<{ default: { silence(): void } }>('@nozbe/watermelondb/utils/common/logger').default.silence();
    const columns = CRM_LAYOUT.fields.map(({ name, type }) => ({ name: columnOf(name), type: typeOf(type), isOptional: true }));
    const schema = appSchema({ version: 1, tables: [tableSchema({ name: 'orders', columns: [{ name: 'version', type: 'number' }, ...columns] })] });
    const adapter = new LokiAdapter({ schema, useWebWorker: false, useIncrementalIndexedDB: false, dbName: 'bench' });
    const database = new Database({ adapter, modelClasses: [Object.assign(class extends Model {}, { table: 'orders' })] });
    const known = new Set<string>();
    let moment = 1;
    const pull = async (records: Iterable<FeedRecord>): Promise<void> => {
      const created: Raw[] = [], updated: Raw[] = [];
      for (const record of records) (known.has(record.id) ? updated : created).push(rawOf(record));
      const changes = { orders: { created, updated, deleted: [] } };
      await synchronize({ database, pullChanges: async () => ({ changes, timestamp: ++moment }), pushChanges: async () => {}, sendCreatedAsUpdated: false });
      for (const { id } of created) known.add(id);
    };
    return {
      async load(rows) {
        await database.write(() => database.unsafeResetDatabase());
        known.clear();
        await pull(rows);
      },
      async versionsOf(ids) {
        const held = new Map((await database.get('orders').query(Q.where('id', Q.oneOf(ids))).fetch()).map(({ _raw: { id, version } }) => [id, version]));
        return ids.map((id) => held.get(id) ?? 0);
      },
      put: pull,
      async *records() {
        for (const { _raw: raw } of await database.get('orders').query().fetch()) yield { id: raw.id, version: raw.version, values: valuesOf(raw) };
      },
    };
  },
});

// Names of columns that it keeps for itself are not among these; it wants no capitals either.
function columnOf(field: string): string {
  return `f_${field.toLowerCase()}`;
}

function typeOf(type: string): string {
  return type === 'boolean' ? 'boolean' : type === 'integer' || type === 'number' ? 'number' : 'string';
}

function rawOf({ id, version, values }: FeedRecord): Raw {
  const raw: Record<string, unknown> & { id: string; version: number } = { id, version };
  for (const name in values) raw[columnOf(name)] = Array.isArray(values[name]) ? JSON.stringify(values[name]) : values[name];
  return raw;
}

function valuesOf(raw: Raw): RecordValues {
  return Object.fromEntries(
    CRM_LAYOUT.fields.map(({ name, type }) => {
      const column = raw[columnOf(name)] as FieldValue;
      return [name, type === 'multiPicklist' && column !== null ? (JSON.parse(column as string) as FieldValue) : column];
    }),
  );
}
