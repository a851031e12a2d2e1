import { ATTENTION } from '../../core/core.ts';
import { compareVersions, type RecordVersion } from '../../protocol/version.ts';
import type { EngineContext } from '../engine-context.ts';
import type { QueueEntry } from '../queue/queue-entry.ts';
import { isFrom, laterOf, type FeedMoment } from '../store/feed-moment.ts';
import type { ParkedGroup } from '../store/parked.ts';
import type { Key } from '../store/record-key.ts';
import { versionOf, type HeldImage } from '../store/rows.ts';
import { headerOf, mastersOf, type ImageLookup } from './around.ts';

/** Who belongs to a transaction group, as the server says it. */
export interface Manifest {
  readonly header: Key;
  /** Each member with the version that must be here before any of it is merged. */
  readonly members: ReadonlyMap<Key, RecordVersion>;
}

/** Records that are merged all at once or not at all. */
export interface MergeUnit extends Pick<ParkedGroup, 'headers' | 'members' | 'until'> {
  /** Its records that came in. */
  readonly arrived: readonly Key[];
}

/** What units are made of. */
export interface UnitInput extends Pick<EngineContext, 'places'> {
  /** The newest image that came in of each record. */
  readonly images: ReadonlyMap<Key, HeldImage>;
  readonly manifests: readonly Manifest[];
  /** Where the feed was when all of this was read; without, what came in says nothing of what else is in its group. */
  readonly moment?: FeedMoment;
  /** Of images that came in without the rest of their groups: how far the feed is to be read for that. */
  readonly until?: ReadonlyMap<Key, FeedMoment>;
  readonly base: ImageLookup;
  readonly side: ImageLookup;
  readonly parkedOf: (key: Key) => readonly ParkedGroup[];
}

/**
 * Divides what came in into units: a group each, with what is kept aside of it; two groups together where a record moves from one to the
 * other, or the record would be seen in both or in none.
 */
export function gatherUnits({ places, images, manifests, moment, until = new Map(), base, side, parkedOf }: UnitInput): MergeUnit[] {
  const headers = new Joined();
  const arriving: ImageLookup = (key) => {
    const image = images.get(key);
    // Of a record that is gone, what is here says where it was.
    return image?.state === 'live' ? image : (base(key) ?? side(key));
  };
  const named = new Map<Key, Key[]>();
  for (const { header, members } of manifests) {
    // What was deleted with all that is above it comes in several groups: each is led by the nearest that is gone.
    headers.join([header, headerOf(places, header, arriving), headerOf(places, header, base)]);
    for (const [key, version] of members) {
      named.set(key, [...(named.get(key) ?? []), header]);
      headers.join([header, leftBy(places, key, version, base) ?? header]);
    }
  }
  const leader = new Map<Key, Key>();
  for (const key of images.keys()) {
    const leading = [headerOf(places, key, arriving), ...(base(key) === null ? [] : [headerOf(places, key, base)]), ...(named.get(key) ?? [])];
    leader.set(key, leading[0]!);
    headers.join([...leading, ...parkedOf(key).filter((group) => belongsTo(group, key)).flatMap((group) => group.headers)]);
  }
  for (const header of [...headers.all]) for (const group of parkedOf(header)) if (belongsTo(group, header)) headers.join([header, ...group.headers]);
  const arrived = groupBy(leader.keys(), (key) => headers.root(leader.get(key)!));
  const stated = groupBy(manifests, ({ header }) => headers.root(header));
  return [...headers.sets].map(([root, set]) => {
    const parked = new Set(set.flatMap((header) => parkedOf(header).filter((group) => belongsTo(group, header))));
    const members = new Map(stated.get(root)?.flatMap((manifest) => [...manifest.members]));
    const isWhole = set.every((header) => stated.get(root)?.some((manifest) => manifest.header === header));
    for (const group of parked) takeOver(members, group, isWhole, side);
    const keys = arrived.get(root) ?? [];
    const awaited = [...[...parked].map((group) => group.until), ...keys.map((key) => until.get(key) ?? null)].reduce(laterOf, null);
    // What is gone is in no manifest, and belongs to the group all the same.
    if (set.length > 1 || members.size > 0) for (const key of keys) if (!members.has(key)) members.set(key, images.get(key)!.version);
    return { headers: set.sort(), members, arrived: keys, until: isWhole && moment !== undefined && isFrom(moment, awaited) ? null : awaited };
  });
}

/**
 * The group that a member may leave with a version that a manifest names: where it is here, which is older. The image that would say so may
 * be missing, and the group that it leaves be there.
 */
export function leftBy(places: UnitInput['places'], key: Key, version: RecordVersion, base: ImageLookup): Key | null {
  const here = base(key);
  return here !== null && compareVersions(version, here.version) > 0 ? headerOf(places, key, base) : null;
}

/** The newer manifest of a group counts: each is one moment, and a version never falls. What is kept aside stays with the group. */
function takeOver(members: Map<Key, RecordVersion>, parked: ParkedGroup, isWhole: boolean, side: ImageLookup): void {
  const isNewer = [...parked.members].some(([key, version]) => members.has(key) && compareVersions(version, members.get(key)!) > 0);
  for (const [key, version] of parked.members) {
    const stated = members.get(key), kept = side(key);
    if (stated !== undefined) members.set(key, compareVersions(version, stated) > 0 ? version : stated);
    else if (isNewer || !isWhole) members.set(key, version);
    else if (kept !== null) members.set(key, kept.version);
  }
}

/** Whether a record is of a group, and not only waited for. */
export function belongsTo({ headers, members }: ParkedGroup, key: Key): boolean {
  return headers.includes(key) || members.has(key);
}

/** The bits of `ATTENTION` that entries make. */
export function flagsOf(entries: Iterable<QueueEntry>): number {
  let flags = 0;
  for (const { state } of entries) flags |= state === 'failed' ? ATTENTION.inError : ATTENTION.pending;
  return flags;
}

/**
 * The masters without which a record would hang on nothing (rule A35): those that the image names and what is here does not, and that
 * are neither on the device nor known to be gone, nor made here. A record that is here already goes on hanging where it hangs.
 */
export function missingMasters({ places, base, isCreatedHere }: Pick<UnitInput, 'places' | 'base'> & { readonly isCreatedHere: (key: Key) => boolean }, key: Key, image: HeldImage): Key[] {
  const here = new Set(mastersOf(places, key, base(key)));
  return mastersOf(places, key, image).filter((master) => !here.has(master) && base(master) === null && !isCreatedHere(master));
}

/** Whether every member is here, kept aside at least, at the version that the manifest names or a newer one. */
export function isComplete(members: ReadonlyMap<Key, RecordVersion>, base: ImageLookup, side: ImageLookup): boolean {
  return [...members].every(([key, version]) => compareVersions(heldOf(key, base, side), version) >= 0);
}

/** The newest version of a record that is here, merged or kept aside. */
export function heldOf(key: Key, base: ImageLookup, side: ImageLookup): RecordVersion {
  const merged = versionOf(base(key)), kept = versionOf(side(key));
  return compareVersions(kept, merged) > 0 ? kept : merged;
}

function groupBy<Item>(items: Iterable<Item>, rootOf: (item: Item) => Key): Map<Key, Item[]> {
  const groups = new Map<Key, Item[]>();
  for (const item of items) {
    const root = rootOf(item), group = groups.get(root);
    if (group === undefined) groups.set(root, [item]);
    else group.push(item);
  }
  return groups;
}

/** Sets of records, joined as it turns out that they belong together. */
export class Joined {
  readonly #roots = new Map<Key, Key>();

  get all(): Iterable<Key> {
    return this.#roots.keys();
  }

  get sets(): Map<Key, Key[]> {
    return groupBy(this.#roots.keys(), (key) => this.root(key));
  }

  root(key: Key): Key {
    let at = key;
    for (let above = this.#roots.get(at); above !== undefined && above !== at; above = this.#roots.get(at)) at = above;
    this.#roots.set(key, at);
    return at;
  }

  join(keys: readonly Key[]): void {
    const [first, ...others] = keys.map((key) => this.root(key));
    for (const other of others) this.#roots.set(other, first!);
  }
}
