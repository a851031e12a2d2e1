import { describeIndexedDb } from './indexeddb-suite.ts';

describeIndexedDb('IndexedDB', () => indexedDB);
