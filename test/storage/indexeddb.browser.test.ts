import { describeIndexedDbBehaviour } from './indexeddb-behaviour.ts';
import { describeIndexedDb } from './indexeddb-suite.ts';

describeIndexedDb('IndexedDB', () => indexedDB);
describeIndexedDbBehaviour('IndexedDB', () => indexedDB, (database) => {
  database.close();
  database.dispatchEvent(new Event('close'));
});
