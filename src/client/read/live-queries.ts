import type { Schema } from '../../protocol/schema.ts';
import type { Unsubscribe } from '../../shared/emitter.ts';
import { queryWithBirthIds } from './birth-ids.ts';
import type { RecordView } from '../engine.ts';
import { compileQuery, type CompiledQuery } from './match-query.ts';
import type { Query } from './query.ts';
import type { ChangedRecords } from '../store/changed-records.ts';
import { splitKey, type Key } from '../store/record-key.ts';
import type { Records } from './records.ts';

export interface LiveQueriesOptions {
  readonly schema: Schema;
  readonly records: Records;
  /** Runs a read between two commits, never across one. */
  readonly between: <T>(read: () => Promise<T>) => Promise<T>;
  readonly onFault: (thrown: unknown) => void;
}

interface LiveQuery {
  readonly query: CompiledQuery;
  readonly listener: (records: readonly RecordView[]) => void;
  /** Every matching record; `null` until the first reading is done. */
  matched: Map<string, RecordView> | null;
}

/** Answers queries, and keeps subscribed answers true: a changed record is tested again by itself, nothing is read twice. */
export class LiveQueries {
  readonly #options: LiveQueriesOptions;
  readonly #live = new Set<LiveQuery>();
  readonly #watched = new Map<Key, Set<(record: RecordView | null) => void>>();

  constructor(options: LiveQueriesOptions) {
    this.#options = options;
  }

  async run(query: Query): Promise<readonly RecordView[]> {
    const compiled = await this.#compile(query);
    return compiled.arrange([...(await this.#read(compiled)).values()]);
  }

  async watch(query: Query, listener: (records: readonly RecordView[]) => void): Promise<Unsubscribe> {
    const live: LiveQuery = { query: await this.#compile(query), listener, matched: null };
    this.#live.add(live);
    await this.#fill(live);
    return () => void this.#live.delete(live);
  }

  async #compile(query: Query): Promise<CompiledQuery> {
    const compiled = compileQuery(query, this.#options.schema);
    return query.where === undefined ? compiled : compileQuery(await this.#options.between(() => queryWithBirthIds(this.#options, query)), this.#options.schema);
  }

  watchRecord(key: Key, listener: (record: RecordView | null) => void): Unsubscribe {
    const listeners = this.#watched.get(key) ?? new Set();
    listeners.add(listener);
    this.#watched.set(key, listeners);
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0) this.#watched.delete(key);
    };
  }

  /** Whether there is anybody to tell. */
  get isWatched(): boolean {
    return this.#live.size > 0 || this.#watched.size > 0;
  }

  /** Tells subscribers what commits changed. Must run between two of them. */
  async refresh(keys: ChangedRecords): Promise<void> {
    if (keys === null) return this.#readAnew();
    const objects = new Set([...this.#live].map(({ query }) => query.object));
    const wanted = [...keys].filter((key) => this.#watched.has(key) || objects.has(splitKey(key).object));
    const views = await this.#options.records.views(wanted);
    const changed = new Set<LiveQuery>();
    wanted.forEach((key, index) => {
      const view = views[index] ?? null;
      this.#tellWatchers(key, view);
      for (const live of this.#live) if (takeIn(live, key, view)) changed.add(live);
    });
    for (const live of changed) this.#emit(live);
  }

  /** So much has changed that all that is watched is read again. */
  async #readAnew(): Promise<void> {
    const watched = [...this.#watched.keys()];
    const views = await this.#options.records.views(watched);
    watched.forEach((key, index) => this.#tellWatchers(key, views[index] ?? null));
    for (const live of this.#live) {
      if (live.matched === null) continue;
      const before = live.matched.size;
      live.matched = await this.#scan(live.query);
      if (before + live.matched.size > 0) this.#emit(live);
    }
  }

  clear(): void {
    this.#live.clear();
    this.#watched.clear();
  }

  #tellWatchers(key: Key, view: RecordView | null): void {
    for (const listener of this.#watched.get(key) ?? []) this.#tell(() => listener(view));
  }

  async #fill(live: LiveQuery): Promise<void> {
    const matched = await this.#read(live.query);
    live.matched = matched;
    this.#emit(live);
  }

  #emit(live: LiveQuery): void {
    if (live.matched === null || !this.#live.has(live)) return;
    const records = live.query.arrange([...live.matched.values()]);
    this.#tell(() => live.listener(records));
  }

  #tell(call: () => void): void {
    try {
      call();
    } catch (thrown) {
      this.#options.onFault(thrown);
    }
  }

  // One reading holds off commits page by page; a query sees one moment of the store, not a mixture.
  async #read(query: CompiledQuery): Promise<Map<string, RecordView>> {
    return this.#options.between(() => this.#scan(query));
  }

  async #scan(query: CompiledQuery): Promise<Map<string, RecordView>> {
    const matched = new Map<string, RecordView>();
    for await (const views of this.#options.records.scan(query.object)) {
      for (const view of views) if (query.matches(view)) matched.set(view.id, view);
    }
    return matched;
  }
}

/** Puts a changed record in or out of an answer; says whether the answer changed. */
function takeIn(live: LiveQuery, key: Key, view: RecordView | null): boolean {
  if (live.matched === null) return false;
  const { object, id } = splitKey(key);
  if (object !== live.query.object) return false;
  if (view !== null && live.query.matches(view)) {
    live.matched.set(id, view);
    return true;
  }
  return live.matched.delete(id);
}

