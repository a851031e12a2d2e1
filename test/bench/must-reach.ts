/** A figure that a release has to reach: a ratio of two medians of one run, or a time. */
export interface Goal {
  readonly what: string;
  readonly limit: number;
  /** The figure may be at most the limit; otherwise it must be at least that. */
  readonly isAtMost: boolean;
  readonly unit: '×' | 'ms';
}

const atLeast = (limit: number, what: string): Goal => ({ what, limit, isAtMost: false, unit: '×' });
const atMost = (limit: number, what: string, unit: Goal['unit'] = '×'): Goal => ({ what, limit, isAtMost: true, unit });

/** The figures that must be reached, on a machine with two cores. */
export const MUST_REACH = {
  'w1-diff': atLeast(25, 'W1: diff from bytes, 100,000 pairs, against shared structures and the best diff by hand'),
  'w1-memcpy': atLeast(0.5, 'W1: input rate against a copy of the same bytes'),
  'w2-check': atLeast(25, 'W2: check from bytes, against decoding and comparing'),
  'w3-core': atLeast(15, 'W3: core, lazy, 1,000,000 entries into 1,000,000 rows, against JavaScript by hand with shared structures'),
  'w3-per-entry': atMost(1.5, 'W3: core, cost of an entry among 1,000,000 against among 10,000'),
  'w3-client': atLeast(6, 'W3: public client, memory storage, against JavaScript by hand with shared structures'),
  'w3-client-rxdb': atLeast(50, "W3: public client, memory storage, against RxDB's replication"),
  'w4-first-download': atMost(0.25, 'first download of 100,000 rows into IndexedDB in Chromium, against raw puts of single rows'),
  'w4-merge': atMost(0.6, 'merge of 10,000 changed rows into those 100,000, against raw puts of the 10,000'),
  'w4-read-all': atMost(0.25, 'reading all 100,000 rows back as bytes, against getAll of single rows'),
  'w3-wasm-twin': atLeast(2, 'W3: Wasm against its twin, on V8'),
  'w6-save': atMost(2, 'W6: save of two fields, 100,000 records, memory storage, against JavaScript by hand'),
  'main-thread': atMost(16, 'longest main-thread stretch while a batch of 100,000 merges in the worker', 'ms'),
  'download-memory': atMost(1.5, 'peak memory of the client while it downloads 1,000,000 records, against 10,000'),
} as const satisfies Readonly<Record<string, Goal>>;

/** Names a row of {@link MUST_REACH}. */
export type GoalId = keyof typeof MUST_REACH;

/** Says whether a figure is good enough. */
export function isReached(goal: Goal, figure: number): boolean {
  return goal.isAtMost ? figure <= goal.limit : figure >= goal.limit;
}
