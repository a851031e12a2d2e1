import { decodeRow } from '../../../src/protocol/row.ts';
import { compareVersions, type RecordVersion } from '../../../src/protocol/version.ts';
import { layoutsOf } from '../../../src/protocol/layout.ts';
import { bytesEqual } from '../../../src/shared/bytes.ts';
import type { FeedRow, RecordWrite, StoredRecord } from '../../../src/server/store/server-store.ts';
import { canSee, inScope, schema, submittedOf, type Values } from '../crm.ts';

/** Who wrote something online. */
export type Writer = { readonly store: string; readonly number: number } | 'online';

/** One version of a record, as the server had it. */
export interface OnlineVersion {
  readonly key: string;
  readonly version: RecordVersion;
  /** Counts the commits of the server: what has the same moment came at once. */
  readonly moment: number;
  readonly by: Writer;
  readonly isDeleted: boolean;
  readonly row: Uint8Array;
  readonly values: Values;
  /** Who gave each field the value that it has. */
  readonly writers: Readonly<Record<string, Writer>>;
}

/** What one feed row promises its readers: these records, at least as new as this. */
export interface FeedPromise {
  readonly createdAt: number;
  readonly store: string;
  readonly number: number;
  readonly records: ReadonlyMap<string, RecordVersion>;
}

/** All that was ever committed online. */
export class OnlineHistory {
  readonly #versions = new Map<string, OnlineVersion[]>();
  readonly #feeds = new Map<string, FeedPromise[]>();
  readonly #fed = new Map<string, FeedPromise>();
  readonly #layouts = layoutsOf(schema);
  #moment = 0;

  /** Commits so far. */
  get moment(): number {
    return this.#moment;
  }

  /** A commit begins: what is put from now on came at once. */
  beginCommit(): void {
    this.#moment++;
  }

  /** The version of a record at a moment; `null` before its first. */
  asOf(key: string, moment: number): OnlineVersion | null {
    return this.versions(key).findLast((known) => known.moment <= moment) ?? null;
  }

  current(key: string): OnlineVersion | null {
    return this.#versions.get(key)?.at(-1) ?? null;
  }

  at(key: string, version: RecordVersion): OnlineVersion | null {
    // Each commit counts up by one: the history of a record is its own index.
    const known = this.#versions.get(key)?.[version[1] - 1];
    return known !== undefined && compareVersions(known.version, version) === 0 ? known : null;
  }

  /** Every version of a record, oldest first. */
  versions(key: string): readonly OnlineVersion[] {
    return this.#versions.get(key) ?? [];
  }

  keys(): IterableIterator<string> {
    return this.#versions.keys();
  }

  /** Rows of a user's feed, the first at position 1. */
  feed(user: string): readonly FeedPromise[] {
    return this.#feeds.get(user) ?? [];
  }

  /** The feed row of a save. */
  fed(store: string, number: number): FeedPromise | null {
    return this.#fed.get(`${store}#${number}`) ?? null;
  }

  /** Takes a committed row in; answers the version before it and the new one. */
  put(record: RecordWrite | StoredRecord, writer: Writer): { readonly before: OnlineVersion | null; readonly after: OnlineVersion } {
    const key = `${record.object}/${record.id}`;
    const before = this.current(key);
    const values = this.read(record);
    const writers: Record<string, Writer> = { ...before?.writers };
    for (const field of Object.keys(values)) if (before === null || !isSame(before.values[field], values[field])) writers[field] = writer;
    const after = { key, version: record.version, moment: this.#moment, by: writer, isDeleted: record.isDeleted, row: record.row, values, writers };
    const versions = this.#versions.get(key);
    if (versions === undefined) this.#versions.set(key, [after]);
    else versions.push(after);
    return { before, after };
  }

  read({ object, row }: Pick<RecordWrite | StoredRecord, 'object' | 'row'>): Values {
    return decodeRow(this.#layouts.get(object)!, row);
  }

  /** Says whether a record was deleted, out of a user's sight, or on no download of theirs (rule A32), at some time from a version on. */
  wasGone(key: string, since: RecordVersion, user: string): boolean {
    return (this.#versions.get(key) ?? []).some((known) => compareVersions(known.version, since) >= 0 && !(isShown(known, user) && isDownloaded(known, user)));
  }

  append(user: string, row: Omit<FeedRow, 'position'>, position: number): boolean {
    const feed = this.#feeds.get(user) ?? [];
    this.#feeds.set(user, feed);
    const records = new Map(row.records.map(({ object, id }) => [`${object}/${id}`, this.current(`${object}/${id}`)!.version] as const));
    const promise = { createdAt: row.createdAt, store: row.store, number: row.number, records };
    this.#fed.set(`${row.store}#${row.number}`, promise);
    return feed.push(promise) === position;
  }
}

/** Says whether a user can see a record at a version. */
export function isShown({ key, isDeleted, values }: OnlineVersion, user: string): boolean {
  return !isDeleted && isVisible(key, values, user);
}

/** Says whether a user's downloads have a record at a version, if the user may see it (rule A32). */
export function isDownloaded({ key, values }: Pick<OnlineVersion, 'key' | 'values'>, user: string): boolean {
  const slash = key.indexOf('/');
  return inScope({ tenant: 'default', user, claims: {} }, { object: key.slice(0, slash), id: key.slice(slash + 1), values });
}

/** Says whether a user may see a record with these values. */
export function isVisible(key: string, values: Values, user: string): boolean {
  const slash = key.indexOf('/');
  return canSee({ tenant: 'default', user, claims: {} }, { object: key.slice(0, slash), id: key.slice(slash + 1), values });
}

/** Says whether a record counted as submitted at a version. */
export function isSubmitted({ key, values }: Pick<OnlineVersion, 'key' | 'values'>): boolean {
  const definition = submittedOf(key.slice(0, key.indexOf('/')));
  return definition !== null && definition.values.includes(String(values[definition.field]));
}

/** Says whether an image is what the server had at that version. */
export function isTrueRow(online: OnlineVersion, row: Uint8Array | null): boolean {
  return row !== null && bytesEqual(online.row, row);
}

/** Compares two values in canonical form. */
export function isSame(left: unknown, right: unknown): boolean {
  if (typeof left === 'object' && left !== null) return JSON.stringify(left) === JSON.stringify(right);
  return (left ?? null) === (right ?? null);
}

/** Compares what a user sees; a field without value may be missing. */
export function sameValues(left: Values | null, right: Values | null): boolean {
  if (left === null || right === null) return left === right;
  for (const name of Object.keys(left)) if (!isSame(left[name], right[name])) return false;
  for (const name of Object.keys(right)) if (!isSame(left[name], right[name])) return false;
  return true;
}
