import { describe, test } from 'vitest';
import { indexedDb } from '../../src/storage/indexeddb.ts';
import { describeStorageAdapter } from '../../src/testing/describe-storage-adapter.ts';
import { createFaultyFactory } from './faulty-factory.ts';

let places = 0;

/** Puts IndexedDB, the platform's or a fake one, through the published suite. */
export function describeIndexedDb(name: string, createFactory: () => IDBFactory): void {
  describeStorageAdapter({
    name,
    describe,
    test,
    createPlace: () => Object.assign(createFaultyFactory(createFactory()), { app: `suite-${places++}` }),
    createAdapter: ({ factory, app }) => indexedDb({ name: app, factory }),
    disposePlace: (place) => place.dispose(),
    // Handles stay open and transactions are left to their fate: as much of a kill as a page can do to itself.
    crash: () => {},
    packed: true,
    failures: {
      fillUp: (place, nth) => place.abortWrite(nth, new DOMException('no room', 'QuotaExceededError')),
      abortAfterSuccess: (place) => place.abortWrite(1, null),
      loseHandles: (place) => place.loseHandles(),
    },
  });
}
