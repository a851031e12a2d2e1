// From this many changed keys on, one merge over the whole list is cheaper than moving its tail once per key.
const MERGE_FROM = 64;

/**
 * Rows by key, with the keys in UTF-16 order. Lookups are by hash and scans by binary search; the order is repaired when somebody scans,
 * from the keys that came and went since, and never built anew.
 */
export class SortedTable {
  readonly #rows = new Map<string, Uint8Array>();
  #keys: string[] = [];
  /** Keys that `#keys` may be wrong about. */
  readonly #changed = new Set<string>();

  get size(): number {
    return this.#rows.size;
  }

  get(key: string): Uint8Array | undefined {
    return this.#rows.get(key);
  }

  put(key: string, bytes: Uint8Array): void {
    const { size } = this.#rows;
    this.#rows.set(key, bytes);
    if (this.#rows.size > size) this.#changed.add(key);
  }

  /** Removes a row; says whether it was there. */
  remove(key: string): boolean {
    const wasThere = this.#rows.delete(key);
    if (wasThere) this.#changed.add(key);
    return wasThere;
  }

  /** Up to `limit` keys greater than `after` that begin with `prefix`, in order. */
  keys({ prefix = '', after, limit }: { readonly prefix?: string; readonly after?: string | undefined; readonly limit: number }): string[] {
    this.#repair();
    let at = this.#firstNotBelow(after === undefined || after < prefix ? prefix : after);
    if (after !== undefined && this.#keys[at] === after) at++;
    const found: string[] = [];
    for (; found.length < limit && at < this.#keys.length && this.#keys[at]!.startsWith(prefix); at++) found.push(this.#keys[at]!);
    return found;
  }

  #repair(): void {
    if (this.#changed.size < MERGE_FROM) for (const key of this.#changed) this.#repairOne(key);
    else this.#merge();
    this.#changed.clear();
  }

  #repairOne(key: string): void {
    const at = this.#firstNotBelow(key);
    const isListed = this.#keys[at] === key;
    if (isListed !== this.#rows.has(key)) this.#keys.splice(at, isListed ? 1 : 0, ...(isListed ? [] : [key]));
  }

  #merge(): void {
    const kept = this.#keys.filter((key) => !this.#changed.has(key));
    const added = [...this.#changed].filter((key) => this.#rows.has(key)).sort(byCodeUnit);
    const merged: string[] = [];
    let next = 0;
    for (const key of kept) {
      while (next < added.length && added[next]! < key) merged.push(added[next++]!);
      merged.push(key);
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
