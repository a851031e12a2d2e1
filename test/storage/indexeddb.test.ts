import 'fake-indexeddb/auto';
import { IDBFactory } from 'fake-indexeddb';
import { describeIndexedDb } from './indexeddb-suite.ts';

describeIndexedDb('IndexedDB (fake-indexeddb)', () => new IDBFactory());
