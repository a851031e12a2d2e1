import { decodeEnvelope } from '../../../src/protocol/envelope.ts';
import type { Layout } from '../../../src/protocol/layout.ts';
import { decodeRow } from '../../../src/protocol/row.ts';
import { readDraftRowKey } from '../../../src/client/drafts/draft-keys.ts';
import type { Commit } from '../../../src/storage/storage-adapter.ts';
import type { Values } from '../crm.ts';
import type { IntendedChange, Intents } from './intents.ts';
import { isSame, sameValues } from './online-history.ts';
import type { Rule } from './violation.ts';

/** A record in a draft: as the user saw it, and as the user has it now. */
interface DraftedRecord {
  readonly seen: Values | null;
  readonly row: Values | null;
}

/** What a draft makes of one record, with what its user saw. */
export interface DraftedChange extends IntendedChange {
  readonly id: string;
  readonly seen: Values;
}

export interface DraftLedgerOptions {
  readonly layouts: ReadonlyMap<string, Layout>;
  readonly intents: Intents;
  readonly fail: (rule: Rule, message: string) => void;
}

/** A device's drafts as they lie in storage: durable from the first change on, and gone only when their user says so (rule A12). */
export class DraftLedger {
  readonly #options: DraftLedgerOptions;
  readonly #drafts = new Map<string, Map<string, DraftedRecord>>();
  #ended: { readonly draft: string; readonly changes: readonly DraftedChange[] }[] = [];

  constructor(options: DraftLedgerOptions) {
    this.#options = options;
  }

  /** Counts the commits that changed drafts. */
  changes = 0;

  /** The records that a draft holds. */
  keysOf(draft: string): readonly string[] {
    return [...(this.#drafts.get(draft)?.keys() ?? [])];
  }

  get ids(): readonly string[] {
    return [...this.#drafts.keys()];
  }

  /** Whether a draft holds a record: it then takes nothing from the feed. */
  holds(key: string): boolean {
    return [...this.#drafts.values()].some((records) => records.has(key));
  }

  /** What a draft holds of a record that its user changed; `undefined` when it does not hold it. */
  row(draft: string, key: string): Values | null | undefined {
    return this.#drafts.get(draft)?.get(key)?.row;
  }

  /** What the drafts that this commit ends would save. */
  get ended(): readonly DraftedChange[] {
    return this.#ended.flatMap(({ changes }) => changes);
  }

  /** Takes the drafts of a commit. */
  take({ putState = [], removeState = [] }: Commit): void {
    const { intents, layouts } = this.#options;
    this.#ended = [];
    const removed = new Map<string, Set<string>>();
    for (const state of removeState) {
      const name = readDraftRowKey(state);
      if (name !== null) removed.set(name.draft, (removed.get(name.draft) ?? new Set()).add(name.key));
    }
    for (const [draft, keys] of removed) {
      const records = this.#drafts.get(draft);
      if (records === undefined) continue;
      const isEnd = keys.size === records.size;
      if (isEnd && !intents.hasDraft(draft, 'draft:save', 'draft:discard')) this.#fail(`draft ${draft} is gone, and nobody asked for it`);
      if (isEnd && intents.hasDraft(draft, 'draft:save')) this.#ended.push({ draft, changes: changesOf(records) });
      for (const key of keys) records.delete(key);
      if (records.size === 0) this.#drafts.delete(draft);
    }
    let isChanged = removed.size > 0;
    for (const { key: state, bytes } of putState) {
      const name = readDraftRowKey(state);
      if (name === null) continue;
      isChanged = true;
      const { layout, seen, row } = decodeEnvelope(bytes) as { readonly layout: string; readonly seen: Uint8Array | null; readonly row: Uint8Array | null };
      const read = (values: Uint8Array | null): Values | null => values && decodeRow(layouts.get(layout)!, values);
      const records = this.#drafts.get(name.draft) ?? new Map<string, DraftedRecord>();
      const before = records.get(name.key), after: DraftedRecord = { seen: read(seen), row: read(row) };
      if (!intents.hasDraft(name.draft, 'draft:open', 'draft:change') && !isRebased(before, after)) this.#fail(`draft ${name.draft} changed, and nobody asked for it`);
      this.#drafts.set(name.draft, records.set(name.key, after));
    }
    if (isChanged) this.changes++;
  }

  /** Once the commit is taken: what a saved draft held is queued, or was so already. */
  checkSaved(isQueued: (key: string) => boolean, view: (key: string) => Values | null): void {
    for (const { draft, changes } of this.#ended) {
      // Two calls, and one of them gave it up.
      if (this.#options.intents.hasDraft(draft, 'draft:discard')) continue;
      for (const change of changes) {
        const key = `${change.object}/${change.id}`;
        if (!isQueued(key) && !sameValues(view(key), change.op === 'remove' ? null : { ...view(key), ...change.values })) this.#fail(`draft ${draft} was saved, and its ${change.op} of ${key} is nowhere`);
      }
    }
  }

  #fail(message: string): void {
    this.#options.fail('drafts', message);
  }
}

/** Rule A27: by itself a draft may only show newer values, where its user has written none. */
function isRebased(before: DraftedRecord | undefined, after: DraftedRecord): boolean {
  if (before === undefined || before.seen === null || after.seen === null) return false;
  if (before.row === null || after.row === null) return before.row === after.row;
  const { seen, row } = before, now = { seen: after.seen, row: after.row };
  return Object.keys(now.row).every((field) => (isSame(row[field], seen[field]) ? isSame(now.row[field], now.seen[field]) : isSame(now.row[field], row[field])));
}

function changesOf(records: ReadonlyMap<string, DraftedRecord>): DraftedChange[] {
  return [...records].flatMap(([key, { seen, row }]): DraftedChange[] => {
    const slash = key.indexOf('/');
    const name = { object: key.slice(0, slash), id: key.slice(slash + 1) };
    if (seen === null) return row === null ? [] : [{ op: 'create', ...name, values: row, seen: {} }];
    if (row === null) return [{ op: 'remove', ...name, values: {}, seen }];
    const values = Object.fromEntries(Object.entries(row).filter(([field, value]) => !isSame(value, seen[field])));
    return Object.keys(values).length === 0 ? [] : [{ op: 'update', ...name, values, seen }];
  });
}
