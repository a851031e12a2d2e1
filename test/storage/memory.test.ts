import { describe, test } from 'vitest';
import { memory } from '../../src/storage/memory.ts';
import { describeStorageAdapter } from '../../src/testing/describe-storage-adapter.ts';

describeStorageAdapter({ name: 'memory', describe, test, createPlace: () => memory(), createAdapter: (adapter) => adapter, packed: true, crash: () => {} });
