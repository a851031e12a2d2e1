// From this many changed keys on, one merge over the whole list is cheaper than moving its tail once per key.
const MERGE_FROM = 64;

/**
 * Rows by key, with the keys in UTF-16 order. Lookups are by hash and scans by binary search; the order is repaired when keys come and
 * go, never built anew for a scan.
 */
export class SortedTable {
  readonly #rows = new Map<string, Uint8Array>();
  #keys: string[] = [];

  get(key: string): Uint8Array | undefined {
    return this.#rows.get(key);
  }

  /** Applies one step: what is both removed and put ends up put, and of two puts of one key the later stays. */
  write(puts: Iterable<readonly [key: string, bytes: Uint8Array]>, removes: Iterable<string>): void {
    const before = new Map<string, boolean>();
    const note = (key: string) => before.has(key) || before.set(key, this.#rows.has(key));
    for (const key of removes) {
      note(key);
      this.#rows.delete(key);
    }
    for (const [key, bytes] of puts) {
      note(key);
      this.#rows.set(key, bytes);
    }
    const changed = [...before].filter(([key, existed]) => existed !== this.#rows.has(key)).map(([key]) => key);
    if (changed.length < MERGE_FROM) for (const key of changed) this.#repair(key);
    else this.#merge(changed);
  }

  /** Up to `limit` keys greater than `after` that begin with `prefix`, in order. */
  keys({ prefix = '', after, limit }: { readonly prefix?: string; readonly after?: string | undefined; readonly limit: number }): string[] {
    let at = after === undefined || after < prefix ? this.#firstNotBelow(prefix) : this.#firstNotBelow(after);
    if (after !== undefined && this.#keys[at] === after) at++;
    const found: string[] = [];
    for (; found.length < limit && at < this.#keys.length && this.#keys[at]!.startsWith(prefix); at++) found.push(this.#keys[at]!);
    return found;
  }

  #repair(key: string): void {
    const at = this.#firstNotBelow(key);
    if (this.#rows.has(key)) this.#keys.splice(at, 0, key);
    else this.#keys.splice(at, 1);
  }

  #merge(changed: readonly string[]): void {
    const added = changed.filter((key) => this.#rows.has(key)).sort(byCodeUnit);
    const merged: string[] = [];
    let next = 0;
    for (const key of this.#keys) {
      while (next < added.length && added[next]! < key) merged.push(added[next++]!);
      if (this.#rows.has(key)) merged.push(key);
    }
    for (; next < added.length; next++) merged.push(added[next]!);
    this.#keys = merged;
  }

  #firstNotBelow(key: string): number {
    let low = 0, high = this.#keys.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#keys[middle]! < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function byCodeUnit(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}
