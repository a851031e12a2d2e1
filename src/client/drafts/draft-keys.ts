import type { Key } from '../store/record-key.ts';
import { STATE } from '../store/stored.ts';

/** The state row in which a draft keeps one record. */
export function draftRowKey(draft: string, key: Key): string {
  return `${STATE.draft}${draft}/${key}`;
}

/** The draft and the record of a state row; `null` when the row is no draft's. */
export function readDraftRowKey(row: string): { readonly draft: string; readonly key: Key } | null {
  if (!row.startsWith(STATE.draft)) return null;
  const slash = row.indexOf('/', STATE.draft.length);
  return { draft: row.slice(STATE.draft.length, slash), key: row.slice(slash + 1) };
}

/** The records that drafts hold, and in which draft each is: as durable as the rows that it is read from. */
export class DraftKeys {
  readonly #drafts = new Map<Key, string>();

  get byRecord(): ReadonlyMap<Key, string> {
    return this.#drafts;
  }

  /** How many drafts are open. */
  get count(): number {
    return new Set(this.#drafts.values()).size;
  }

  put(row: string): void {
    const found = readDraftRowKey(row);
    if (found !== null) this.#drafts.set(found.key, found.draft);
  }

  remove(row: string): void {
    const found = readDraftRowKey(row);
    if (found !== null) this.#drafts.delete(found.key);
  }
}
