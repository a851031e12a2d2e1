import { Packr, unpackMultiple } from 'msgpackr';
import { createTwoSides, type DiffInput } from '../diff-input.ts';
import { library } from '../library.ts';

/** Something that says which fields differ in pairs of records, from bytes. */
export interface DiffContender {
  readonly name: string;
  readonly note?: string;
  /** Pairs that it is asked for at most. */
  readonly mostPairs: number;
  /** Gets the bytes ready in the form that this contender reads; one call of the answer counts the differing fields of all pairs. */
  open(input: DiffInput): Promise<() => number>;
}

type Values = Readonly<Record<string, unknown>>;

const INFINITE = Number.POSITIVE_INFINITY;

/** Shared structures make objects of one hidden shape, so that comparing field by field is as fast as JavaScript gets. */
const sharedStructures: DiffContender = {
  name: 'shared structures, then compare',
  note: "msgpackr's records, and the fastest diff by hand that we found: field by field in one order, no object per pair",
  mostPairs: INFINITE,
  async open(input) {
    const { left, right, packr } = pack(input, new Packr({ structures: [], maxSharedStructures: 32 }));
    return () => countDifferences(packr.unpackMultiple(left) as Values[], packr.unpackMultiple(right) as Values[]);
  },
};

const plainMaps: DiffContender = {
  name: 'plain maps, then compare',
  mostPairs: INFINITE,
  async open(input) {
    const { left, right } = pack(input, new Packr({ useRecords: false, variableMapSize: true }));
    return () => countDifferences(unpackMultiple(left) as Values[], unpackMultiple(right) as Values[]);
  },
};

const rows: DiffContender = {
  name: 'our rows, decoded, then compare',
  mostPairs: INFINITE,
  async open({ beforeRows, afterRows }) {
    return () => {
      const lefts = unpackMultiple(beforeRows) as unknown[][], rights = unpackMultiple(afterRows) as unknown[][];
      let differing = 0;
      for (let pair = 0; pair < lefts.length; pair++) {
        const left = lefts[pair]!, right = rights[pair]!;
        for (let field = 0; field < left.length; field++) if (!isEqual(left[field], right[field])) differing++;
      }
      return differing;
    };
  },
};

/** Libraries that compare objects get them as shared structures decode them. */
const library10k = (name: string, note: string, load: () => Promise<(left: Values, right: Values) => number>): DiffContender => ({
  name,
  note,
  mostPairs: 10_000,
  async open(input) {
    const countIn = await load();
    const { left, right, packr } = pack(input, new Packr({ structures: [], maxSharedStructures: 32 }));
    return () => {
      const lefts = packr.unpackMultiple(left) as Values[], rights = packr.unpackMultiple(right) as Values[];
      let differing = 0;
      for (let pair = 0; pair < lefts.length; pair++) differing += countIn(lefts[pair]!, rights[pair]!);
      return differing;
    };
  },
});

const DECODED = 'decoded with shared structures; finds changes within lists too';

/** Who compares records; the first is whom the others are compared with. */
export const DIFF_CONTENDERS: readonly [DiffContender, ...DiffContender[]] = [
  sharedStructures,
  plainMaps,
  rows,
  library10k('microdiff', DECODED, async () => {
    const { default: diff } = await library<{ default(left: Values, right: Values): readonly { readonly path: readonly unknown[] }[] }>('microdiff');
    return (left, right) => new Set(diff(left, right).map(({ path }) => path[0])).size;
  }),
  library10k('fast-json-patch', DECODED, async () => {
    const { default: patch } = await library<{ default: { compare(left: Values, right: Values): readonly { readonly path: string }[] } }>('fast-json-patch');
    return (left, right) => new Set(patch.compare(left, right).map(({ path }) => path.split('/')[1])).size;
  }),
  library10k('jsondiffpatch', DECODED, async () => {
    const { create } = await library<{ create(): { diff(left: Values, right: Values): Values | undefined } }>('jsondiffpatch');
    const patcher = create();
    return (left, right) => Object.keys(patcher.diff(left, right) ?? {}).length;
  }),
];

function pack(input: DiffInput, packr: Packr): { readonly left: Uint8Array; readonly right: Uint8Array; readonly packr: Packr } {
  const [before, after] = createTwoSides(input);
  // The structures are known before the first call, as to a program that runs for a while.
  const join = (records: Iterable<Values>): Uint8Array => Buffer.concat(Array.from(records, (record) => Uint8Array.from(packr.pack(record))));
  return { left: join(before), right: join(after), packr };
}

function countDifferences(lefts: readonly Values[], rights: readonly Values[]): number {
  let differing = 0;
  for (let pair = 0; pair < lefts.length; pair++) {
    const left = lefts[pair]!, right = rights[pair]!;
    for (const name in left) if (!isEqual(left[name], right[name])) differing++;
  }
  return differing;
}

function isEqual(left: unknown, right: unknown): boolean {
  if (left === right) return true;
  return Array.isArray(left) && Array.isArray(right) && left.length === right.length && left.every((member, index) => isEqual(member, right[index]));
}
