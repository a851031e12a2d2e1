import { comparePlaces, type Fact, type FactQuery } from './fact.ts';

/** A tenant's facts, by kind and key. */
export class MemoryFacts {
  readonly #kinds = new Map<string, Map<string, Fact>>();

  get(kind: string, key: string): Fact | null {
    return this.#kinds.get(kind)?.get(key) ?? null;
  }

  /** Puts a fact, or takes it away; returns what was there. */
  set(kind: string, key: string, fact: Fact | null): Fact | null {
    const facts = this.#kinds.get(kind) ?? new Map<string, Fact>();
    this.#kinds.set(kind, facts);
    const old = facts.get(key) ?? null;
    if (fact === null) facts.delete(key);
    else facts.set(key, fact);
    return old;
  }

  list(kind: string, { user, order = 'oldest', beyond, limit }: FactQuery): Fact[] {
    const sign = order === 'oldest' ? 1 : -1;
    return this.all(kind)
      .filter((fact) => (user === undefined || fact.user === user) && (beyond === undefined || sign * comparePlaces(fact, beyond) > 0))
      .sort((left, right) => sign * comparePlaces(left, right))
      .slice(0, limit);
  }

  /** Every fact of a kind, in no order. */
  all(kind: string): Fact[] {
    return [...(this.#kinds.get(kind)?.values() ?? [])];
  }

  /** A copy that later saves do not change. Facts are never changed in place, so they are shared. */
  copy(): MemoryFacts {
    const copy = new MemoryFacts();
    for (const [kind, facts] of this.#kinds) copy.#kinds.set(kind, new Map(facts));
    return copy;
  }
}
