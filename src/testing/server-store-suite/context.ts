import { createLayout, type Layout } from '../../protocol/layout.ts';
import { encodeRow } from '../../protocol/row.ts';
import type { RecordWrite, ServerStore, StoreTransaction } from '../../server/store/server-store.ts';
import type { ServerStoreSuiteOptions } from '../describe-server-store.ts';
import type { SuiteRunner } from '../suite-runner.ts';

/** One test's own tenant. */
export interface StorePlace {
  readonly store: ServerStore;
  readonly tenant: string;
  run<T>(work: (transaction: StoreTransaction) => Promise<T>): Promise<T>;
}

export interface StoreSuite {
  readonly runner: SuiteRunner;
  test(name: string, run: (place: StorePlace) => Promise<void>): void;
  store(): Promise<ServerStore>;
}

export function createStoreSuite({ describe, test, open }: ServerStoreSuiteOptions): StoreSuite {
  let opening: Promise<ServerStore> | undefined;
  let tenants = 0;
  const store = (): Promise<ServerStore> => (opening ??= Promise.resolve(open()));
  return {
    runner: { describe, test },
    store,
    test: (name, run) =>
      void test(name, async () => {
        const opened = await store(), tenant = `tenant-${++tenants}`;
        await run({ store: opened, tenant, run: (work) => opened.run(tenant, work) });
      }),
  };
}

export const NOTE: Layout = createLayout('note', [
  { name: 'body', type: 'text' },
  { name: 'extra', type: 'json' },
]);

/** A live record to put. */
export function note(id: string, body: string, n = 1, more: Partial<RecordWrite> = {}): RecordWrite {
  return { object: 'note', id, version: [1, n], isDeleted: false, layout: NOTE, row: encodeRow(NOTE, { body }), parentId: null, recordId: null, ...more };
}

export const noteKey = (id: string): { object: string; id: string } => ({ object: 'note', id });
