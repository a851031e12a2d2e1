import type { Random } from '../../src/shared/random.ts';

/** Headers of arrays, maps, texts and binaries with lengths near 2^31 and 2^32, and numbers of all widths at their ends. */
const HUGE = [
  [0xdd, 0xff, 0xff, 0xff, 0xff], [0xdd, 0x7f, 0xff, 0xff, 0xff], [0xdd, 0x80, 0, 0, 0], [0xdf, 0xff, 0xff, 0xff, 0xff], [0xdf, 0x80, 0, 0, 0],
  [0xdb, 0xff, 0xff, 0xff, 0xff], [0xdb, 0xff, 0xff, 0xff, 0xfb], [0xc6, 0xff, 0xff, 0xff, 0xff], [0xc6, 0x7f, 0xff, 0xff, 0xff],
  [0xdc, 0xff, 0xff], [0xde, 0xff, 0xff], [0xda, 0xff, 0xff], [0xc5, 0xff, 0xff], [0xd9, 0xff], [0xc4, 0xff],
  [0xcf, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], [0xcf, 0, 0x20, 0, 0, 0, 0, 0, 0], [0xd3, 0x80, 0, 0, 0, 0, 0, 0, 0], [0xce, 0xff, 0xff, 0xff, 0xff],
];

/** A number from 0 up, below `end`. */
export function below(random: Random, end: number): number {
  return Math.floor(random.next() * end);
}

/** One to three mutations of a message: a bit or a byte flipped, a cut, a piece of another message put in, a length word made huge. */
export function mutate(bytes: Uint8Array, other: Uint8Array, random: Random): Uint8Array {
  let changed = bytes;
  for (let left = 1 + below(random, 3); left > 0; left--) changed = MUTATIONS[below(random, MUTATIONS.length)]!(changed, other, random);
  return changed;
}

type Mutation = (bytes: Uint8Array, other: Uint8Array, random: Random) => Uint8Array;

const MUTATIONS: readonly Mutation[] = [
  (bytes, _, random) => {
    const at = below(random, bytes.length);
    return bytes.length === 0 ? bytes : replaced(bytes, at, 1, [bytes[at]! ^ (1 << below(random, 8))]);
  },
  (bytes, _, random) => replaced(bytes, below(random, bytes.length + 1), 1, [below(random, 256)]),
  (bytes, _, random) => bytes.slice(0, below(random, bytes.length + 1)),
  (bytes, _, random) => replaced(bytes, below(random, bytes.length + 1), 1 + below(random, 8), []),
  (bytes, other, random) => {
    const from = below(random, other.length + 1);
    return replaced(bytes, below(random, bytes.length + 1), below(random, 12), other.subarray(from, from + below(random, 24)));
  },
  (bytes, other, random) => replaced(bytes, below(random, bytes.length + 1), bytes.length, other.subarray(below(random, other.length + 1))),
  (bytes, _, random) => {
    const huge = HUGE[below(random, HUGE.length)]!;
    // Over the header that is there, or before it.
    return replaced(bytes, below(random, bytes.length + 1), random.next() < 0.5 ? 1 : 0, huge);
  },
];

/** The same bytes with others in place of `cut` of them. */
function replaced(bytes: Uint8Array, at: number, cut: number, put: ArrayLike<number>): Uint8Array {
  const end = Math.min(bytes.length, at + cut);
  const changed = new Uint8Array(bytes.length - (end - at) + put.length);
  changed.set(bytes.subarray(0, at), 0);
  changed.set(put, at);
  changed.set(bytes.subarray(end), at + put.length);
  return changed;
}
