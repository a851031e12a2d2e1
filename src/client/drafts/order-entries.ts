import type { Key } from '../store/record-key.ts';

/** Entries that create a record come before those that refer to it; else they stay in order. */
export function orderEntries<Entry>(entries: readonly Entry[], created: (entry: Entry) => readonly Key[], references: (entry: Entry) => readonly Key[]): Entry[] {
  const left = [...entries];
  const ordered: Entry[] = [];
  while (left.length > 0) {
    const waitsFor = (entry: Entry): boolean => left.some((other) => other !== entry && created(other).some((key) => references(entry).includes(key)));
    // Where they refer to each other in a ring, none can be first: the server says what is missing.
    const next = Math.max(0, left.findIndex((entry) => !waitsFor(entry)));
    ordered.push(...left.splice(next, 1));
  }
  return ordered;
}
