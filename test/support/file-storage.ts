import { closeSync, fsyncSync, ftruncateSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { deserialize, serialize } from 'node:v8';
import { bytesEqual, copyBytes, hashBytes, utf8 } from '../../src/shared/bytes.ts';
import { SyncFault } from '../../src/shared/fault.ts';
import type { Commit, RecordKey, Storage, StorageAdapter, StoreOwner } from '../../src/storage/storage-adapter.ts';

/**
 * Storage in one append-only file for each owner, for tests that kill processes: a commit is one entry with a checksum, on disk before
 * its promise resolves where it is strict. It is never compacted, and one process at a time may have it open.
 */
export function fileStorage(folder: string): StorageAdapter {
  return {
    async open(owner) {
      mkdirSync(folder, { recursive: true });
      const path = join(folder, `${fileNameOf(owner)}.log`);
      const log = logs.get(path) ?? new FileLog(path);
      logs.set(path, log);
      return new FileHandle(log);
    },
  };
}

/** Forgets what is in memory, as the end of the process would; open handles of the folder's stores are not to be used any more. */
export function forgetFileStorage(folder: string): void {
  for (const [path, log] of logs) {
    if (!path.startsWith(folder)) continue;
    closeSync(log.file);
    logs.delete(path);
  }
}

/** All that have a file open in this process share its log. */
const logs = new Map<string, FileLog>();

function fileNameOf({ tenant, user }: StoreOwner): string {
  return hashBytes(utf8(JSON.stringify([tenant, user])));
}

/** An entry: length of the body (8 hexadecimal digits), hash of the body (16), body. */
const LENGTH_DIGITS = 8;
const HEAD_BYTES = LENGTH_DIGITS + 16;

class FileLog {
  readonly file: number;
  readonly state: Rows = new Map();
  readonly #records = new Map<string, Rows>();
  #length = 0;

  constructor(path: string) {
    this.file = openSync(path, 'a+');
    this.#replay(readFileSync(path));
    // An entry that is not whole is a commit that never was; nothing may follow it.
    ftruncateSync(this.file, this.#length);
  }

  recordsOf(object: string): Rows {
    const known = this.#records.get(object);
    if (known !== undefined) return known;
    const fresh: Rows = new Map();
    this.#records.set(object, fresh);
    return fresh;
  }

  commit({ expect = [], durability, ...step }: Commit): 'done' | 'stale' {
    const isMet = expect.every(({ key, bytes }) => {
      const held = this.state.get(key);
      return held === undefined || bytes === null ? held === undefined && bytes === null : bytesEqual(held, bytes);
    });
    if (!isMet) return 'stale';
    this.#append(serialize(step), durability === 'strict');
    this.#apply(step);
    return 'done';
  }

  #append(body: Uint8Array, isStrict: boolean): void {
    const head = utf8(body.length.toString(16).padStart(LENGTH_DIGITS, '0') + hashBytes(body));
    const entry = Buffer.concat([head, body]);
    try {
      for (let written = 0; written < entry.length; ) written += writeSync(this.file, entry, written);
      if (isStrict) fsyncSync(this.file);
    } catch (cause) {
      ftruncateSync(this.file, this.#length);
      throw new SyncFault((cause as NodeJS.ErrnoException).code === 'ENOSPC' ? 'STORAGE_FULL' : 'STORAGE_FAILED', 'the file cannot be written', { cause });
    }
    this.#length += entry.length;
  }

  #replay(bytes: Buffer): void {
    while (this.#length + HEAD_BYTES <= bytes.length) {
      const head = bytes.toString('latin1', this.#length, this.#length + HEAD_BYTES);
      const bodyLength = Number.parseInt(head.slice(0, LENGTH_DIGITS), 16);
      const begin = this.#length + HEAD_BYTES;
      const body = bytes.subarray(begin, begin + bodyLength);
      if (body.length !== bodyLength || hashBytes(body) !== head.slice(LENGTH_DIGITS)) return;
      this.#apply(deserialize(body) as Omit<Commit, 'durability'>);
      this.#length = begin + bodyLength;
    }
  }

  /** What is both removed and put ends up put. */
  #apply({ putRecords = [], removeRecords = [], putState = [], removeState = [] }: Omit<Commit, 'durability'>): void {
    for (const { object, id } of removeRecords) this.recordsOf(object).delete(id);
    for (const { object, id, bytes } of putRecords) this.recordsOf(object).set(id, copyBytes(bytes));
    for (const key of removeState) this.state.delete(key);
    for (const { key, bytes } of putState) this.state.set(key, copyBytes(bytes));
  }
}

type Rows = Map<string, Uint8Array>;

/** Sorts at each scan: slow, and plain to see through. */
function keysOf(rows: Rows, { prefix = '', after, limit }: { readonly prefix?: string; readonly after?: string | undefined; readonly limit: number }): string[] {
  return [...rows.keys()].filter((key) => key.startsWith(prefix) && (after === undefined || key > after)).sort().slice(0, limit);
}

// Each call does all of its work before it returns its promise, so calls take effect in their order.
class FileHandle implements Storage {
  readonly #log: FileLog;
  #isClosed = false;

  constructor(log: FileLog) {
    this.#log = log;
  }

  async readRecords(keys: readonly RecordKey[]): Promise<readonly (Uint8Array | undefined)[]> {
    this.#assertOpen();
    return keys.map(({ object, id }) => {
      const bytes = this.#log.recordsOf(object).get(id);
      return bytes && copyBytes(bytes);
    });
  }

  async scanRecords({ object, after, limit }: Parameters<Storage['scanRecords']>[0]): ReturnType<Storage['scanRecords']> {
    this.#assertOpen();
    const table = this.#log.recordsOf(object);
    return keysOf(table, { after, limit }).map((id) => ({ object, id, bytes: copyBytes(table.get(id)!) }));
  }

  async scanState({ prefix, after, limit }: Parameters<Storage['scanState']>[0]): ReturnType<Storage['scanState']> {
    this.#assertOpen();
    return keysOf(this.#log.state, { prefix, after, limit }).map((key) => ({ key, bytes: copyBytes(this.#log.state.get(key)!) }));
  }

  async commit(commit: Commit): Promise<'done' | 'stale'> {
    this.#assertOpen();
    return this.#log.commit(commit);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
  }

  #assertOpen(): void {
    if (this.#isClosed) throw new SyncFault('STORAGE_CLOSED', 'the storage is closed');
  }
}
