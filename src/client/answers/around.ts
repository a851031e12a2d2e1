import { readField } from '../../protocol/row.ts';
import type { EngineContext } from '../engine-context.ts';
import type { GroupPlaces } from '../queue/groups.ts';
import { namedIn } from '../store/parked.ts';
import { keyOf, splitKey, type Key } from '../store/record-key.ts';
import type { HeldImage } from '../store/rows.ts';

/** Finds what is known of a record; `null` for nothing. */
export type ImageLookup = (key: Key) => HeldImage | null;

/**
 * Reads what is held of records, of those that were kept aside with them or for their sake, and of all records above any of these.
 *
 * @param images - what came in of them
 */
export async function readAround({ store, places }: Pick<EngineContext, 'store' | 'places'>, keys: Iterable<Key>, images: ReadonlyMap<Key, HeldImage> = new Map()): Promise<Map<Key, HeldImage>> {
  const bases = new Map<Key, HeldImage>();
  const read = new Set<Key>();
  for (let wanted = new Set([...keys, ...images.keys()]); wanted.size > 0; ) {
    // Grows while it is walked: what waits for a record of a parked group may be freed with it.
    for (const key of wanted) for (const group of store.parkedOf(key)) for (const other of namedIn(group)) if (!read.has(other)) wanted.add(other);
    for (const [key, base] of await store.readBases(wanted)) bases.set(key, base);
    const next = new Set<Key>();
    for (const key of wanted) read.add(key);
    for (const key of wanted) {
      for (const image of [images.get(key), store.side(key), bases.get(key)]) {
        for (const master of mastersOf(places, key, image ?? null)) if (!read.has(master)) next.add(master);
      }
    }
    wanted = next;
  }
  return bases;
}

/** The record that leads a record's group, as far as it can be found; itself outside of groups. */
export function headerOf(places: GroupPlaces, key: Key, find: ImageLookup): Key {
  for (let at = key; ; ) {
    const parent = places.get(splitKey(at).object)?.parent ?? null;
    const above = parent === null ? null : referenceIn(find(at), parent.target, parent.field);
    if (above === null) return at;
    at = above;
  }
}

/** The masters of a record, by the fields of its row. */
export function mastersOf(places: GroupPlaces, key: Key, image: HeldImage | null): Key[] {
  const { masters = [] } = places.get(splitKey(key).object) ?? {};
  return masters.flatMap(([object, field]) => referenceIn(image, object, field) ?? []);
}

function referenceIn(image: HeldImage | null, object: string, field: string): Key | null {
  const id = image === null ? null : readField(image.layout, image.row, field);
  return typeof id === 'string' ? keyOf(object, id) : null;
}
