// W5: how much memory does a client take at most while it downloads 1,000,000 records, against 10,000? At most 1.5 times. Each download is in a
// process of its own, with its rows in a file of SQLite; the server makes each page when it is asked for and keeps nothing.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSyncClient } from '../../bindings/node/index.ts';
import type { StorageAdapter } from '../../src/storage/storage-adapter.ts';
import { downloadServer, schema } from './download-server.ts';
import { versionOfLibrary } from './library.ts';
import { options } from './options.ts';
import { remoteTask, serveRemote, startRemote } from './processes.ts';
import { reportGoal, reportSkip, reportTable } from './report.ts';
import { sqliteStorage } from './sqlite-storage.ts';

interface Task {
  readonly records: number;
  readonly isPacked: boolean;
  /** Collects garbage at each sample: what is left is what the client holds. */
  readonly isCollected: boolean;
}

interface Peaks {
  /** The most that the process had, in bytes. */
  readonly rss: number;
  /** The most of heap and buffers at a sample, in bytes. */
  readonly held: number;
  readonly seconds: number;
}

const SMALL = 10_000, LARGE = options.size === 'small' ? 100_000 : 1_000_000;
const MB = 1024 * 1024;
/** An engine with room for gigabytes lets garbage lie; on a device it has not that room. */
const HEAP = '--max-heap-size=128';

/** Looks at memory with every commit of a storage. */
function watched(adapter: StorageAdapter, look: () => void): StorageAdapter {
  return {
    async open(owner) {
      const storage = await adapter.open(owner);
      const commit = storage.commit.bind(storage);
      storage.commit = (step) => {
        look();
        return commit(step);
      };
      return storage;
    },
  };
}

async function download({ records, isPacked, isCollected }: Task): Promise<Peaks> {
  const folder = mkdtempSync(join(tmpdir(), 'download-'));
  let held = 0;
  const look = (): void => {
    if (isCollected) (globalThis as { gc?: () => void }).gc?.();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    held = Math.max(held, heapUsed + arrayBuffers);
  };
  const startedAt = performance.now();
  const client = createSyncClient({ schema, user: 'ann', storage: watched(sqliteStorage(join(folder, 'rows'), isPacked), look), transport: downloadServer(records), pollIntervalMs: 3_600_000 });
  try {
    const receipt = await client.download();
    if (receipt.records !== records) throw new Error(`${receipt.records} of ${records} records came`);
    return { rss: process.resourceUsage().maxRSS * 1024, held, seconds: (performance.now() - startedAt) / 1e3 };
  } finally {
    await client.close();
    rmSync(folder, { recursive: true });
  }
}

async function measure(task: Task): Promise<Peaks> {
  const remote = startRemote(task, HEAP);
  try {
    await remote.ready();
    return await remote.call<Peaks>('run');
  } finally {
    remote.close();
  }
}

async function main(): Promise<void> {
  if (versionOfLibrary('better-sqlite3') === null) return reportSkip('W5: memory of a download', 'better-sqlite3 is not installed');
  const rows: string[][] = [];
  const ratios: number[] = [];
  for (const isPacked of [true, false]) {
    const small = await measure({ records: SMALL, isPacked, isCollected: false }), large = await measure({ records: LARGE, isPacked, isCollected: false });
    const least = await measure({ records: SMALL, isPacked, isCollected: true }), most = await measure({ records: LARGE, isPacked, isCollected: true });
    for (const [records, { rss, seconds }, { held }] of [[SMALL, small, least], [LARGE, large, most]] as const) {
      rows.push([isPacked ? 'row blocks' : 'single rows', String(records), (rss / MB).toFixed(1), (held / MB).toFixed(1), seconds.toFixed(1)]);
    }
    ratios.push(large.rss / small.rss);
  }
  reportTable({ id: 'w5-memory', title: 'W5: the most memory while records are downloaded into a file, with a heap of 128 MB at most', columns: ['storage', 'records', 'process, MB', 'held after collecting garbage, MB', 's'], rows });
  if (options.size === 'full') reportGoal('download-memory', Math.max(...ratios), 'the most that the process had; the less favourable of row blocks and single rows');
}

const task = remoteTask<Task>();
if (task === null) await main();
else serveRemote(async () => ({ run: () => download(task) }));
