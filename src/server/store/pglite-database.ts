import { PGlite, type PGliteOptions } from '@electric-sql/pglite';
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** An open database, and a count of the times its files were flushed. */
export interface OpenDatabase {
  readonly database: PGlite;
  /** Flushes so far; `null` when they cannot be made to happen. */
  readonly flushes: () => number | null;
}

/** Where the database lies. */
export interface DatabasePlace {
  readonly folder: string;
  readonly seedFolder: string | undefined;
}

const START: Pick<PGliteOptions, 'startParams' | 'parsers'> = {
  startParams: [
    // As shipped, -F turns fsync off. wal_sync_method matters: commits with the default, fdatasync, never reach the hook below.
    ...PGlite.defaultStartParams.filter((parameter) => parameter !== '-F'),
    '-c', 'fsync=on', '-c', 'wal_sync_method=fsync', '-c', 'shared_buffers=16MB',
  ],
  // int8 as a number: everything that is counted here stays below 2^53.
  parsers: { 20: Number },
};

/** Opens the database of a folder, and makes it first where there is none. */
export async function openDatabase(place: DatabasePlace): Promise<OpenDatabase> {
  const path = join(place.folder, 'data');
  if (!existsSync(path)) await createDatabase(place, path);
  const database = await start({ dataDir: path });
  return { database, flushes: flushToDisk(database) };
}

/** Makes a database aside and moves it into place when it is whole: a crash on the way leaves no half of one. */
async function createDatabase({ folder, seedFolder }: DatabasePlace, path: string): Promise<void> {
  const draft = join(folder, 'data.new');
  const seed = seedFolder === undefined ? null : join(seedFolder, 'fieldtide-pglite-seed.tar.gz');
  if (seed === null || !existsSync(seed) || !(await restore(seed, draft))) await initialise(seed, draft);
  syncTree(draft);
  renameSync(draft, path);
  syncPath(folder);
}

/** Unpacks a seed: about a quarter of the work of `initdb`. A seed of another PostgreSQL does not start, and is made anew. */
async function restore(seed: string, draft: string): Promise<boolean> {
  rmSync(draft, { recursive: true, force: true });
  try {
    const database = await start({ dataDir: draft, loadDataDir: new Blob([readFileSync(seed)]) });
    await database.close();
    return true;
  } catch {
    return false;
  }
}

async function initialise(seed: string | null, draft: string): Promise<void> {
  rmSync(draft, { recursive: true, force: true });
  const database = await start({ dataDir: draft });
  if (seed !== null) await saveSeed(database, seed);
  await database.close();
}

async function saveSeed(database: PGlite, seed: string): Promise<void> {
  await database.exec('checkpoint');
  const archive = await database.dumpDataDir('gzip');
  mkdirSync(join(seed, '..'), { recursive: true });
  writeFileSync(`${seed}.${process.pid}`, new Uint8Array(await archive.arrayBuffer()));
  renameSync(`${seed}.${process.pid}`, seed);
}

async function start(options: PGliteOptions): Promise<PGlite> {
  const database = new PGlite({ ...START, ...options });
  await database.waitReady;
  return database;
}

/** What is used of Emscripten's file system, which PGlite keeps to itself. */
interface FileSystem {
  lookupPath(path: string): { readonly node: { readonly mount: { readonly type: { readonly stream_ops: { fsync?: (stream: { readonly nfd: number }) => number } } } } };
}

/**
 * Makes the database's own fsync reach the disk: Emscripten's Node file system leaves it out. The way in is not public, so the store
 * checks at start that a commit gets here.
 */
function flushToDisk(database: PGlite): () => number | null {
  let flushes = 0;
  try {
    const { FS } = (database as unknown as { readonly Module: { readonly FS: FileSystem } }).Module;
    FS.lookupPath('/pglite/data').node.mount.type.stream_ops.fsync = ({ nfd }) => {
      fsyncSync(nfd);
      flushes++;
      return 0;
    };
    return () => flushes;
  } catch {
    return () => null;
  }
}

function syncTree(path: string): void {
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    const below = join(path, entry.name);
    if (entry.isDirectory()) syncTree(below);
    else if (entry.isFile()) syncPath(below);
  }
  syncPath(path);
}

function syncPath(path: string): void {
  const handle = openSync(path, 'r');
  try {
    fsyncSync(handle);
  } catch {
    // Windows opens no folder for this, and needs none.
  } finally {
    closeSync(handle);
  }
}
