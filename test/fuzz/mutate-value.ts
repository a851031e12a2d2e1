import type { Random } from '../../src/shared/random.ts';
import { below } from './mutate.ts';

/** What a hostile or broken peer puts where something else belongs. */
const ODD: readonly unknown[] = [
  undefined, null, true, false, 0, 1, -1, 1.5, 2 ** 31, 2 ** 32, 2 ** 53 - 1, 2 ** 53, -(2 ** 53), Number.NaN, Number.POSITIVE_INFINITY, '', 'x', '\0', '__proto__',
  'constructor', 'x'.repeat(256), 'x'.repeat(70_000), [], [[]], [null], {}, { toString: 1 }, { length: 3 }, new Uint8Array(0), Uint8Array.of(0xc1), Uint8Array.of(0xdd, 255, 255, 255, 255),
];

/** A copy of plain data with one to three of its values replaced, moved, doubled or left out. */
export function mutateValue(value: unknown, random: Random, keep: readonly string[] = []): unknown {
  const root = { value: structuredClone(value) };
  for (let left = 1 + below(random, 3); left > 0; left--) {
    const places = placesIn(root, keep);
    const { holder, key } = places[below(random, places.length)]!, other = places[below(random, places.length)]!;
    const kind = below(random, 6);
    if (kind === 0 && key !== 'value') delete holder[key];
    else if (kind === 1) holder[key] = structuredClone(other.holder[other.key]);
    else if (kind === 2 && Array.isArray(holder)) holder.push(structuredClone(holder[Number(key)]));
    else if (kind === 3 && typeof holder[key] === 'number') holder[key] += [1, -1, 1_000, 2 ** 32][below(random, 4)]!;
    else holder[key] = structuredClone(ODD[below(random, ODD.length)]);
  }
  return root.value;
}

interface Place {
  readonly holder: Record<string, unknown>;
  readonly key: string;
}

/** Every place of a value, below the root too; names to keep are left alone. */
function placesIn(value: unknown, keep: readonly string[]): Place[] {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return [];
  const holder = value as Record<string, unknown>;
  return Object.keys(holder).filter((key) => !keep.includes(key)).flatMap((key) => [{ holder, key }, ...placesIn(holder[key], keep)]);
}
