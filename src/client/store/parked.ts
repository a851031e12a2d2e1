import { decodeEnvelope, encodeEnvelope } from '../../protocol/envelope.ts';
import type { RecordVersion } from '../../protocol/version.ts';
import type { FeedMoment } from './feed-moment.ts';
import type { Key } from './record-key.ts';
import type { HeldImage } from './rows.ts';

/**
 * Records of which newer images are kept aside, and that are merged all at once or not at all (rules A34, A35): a transaction group, two
 * between which a record moves, or a record by itself. The images lie in the side rows of its members.
 */
export interface ParkedGroup {
  /** Who leads the group, in key order: the record itself outside of groups. The first one names the group. */
  readonly headers: readonly Key[];
  /** The records of the group, as the newest manifest names them, each with the version that must be here. */
  readonly members: ReadonlyMap<Key, RecordVersion>;
  /** Masters that were not on this device when the group was looked at last (rule A35, orphans). */
  readonly masters: readonly Key[];
  /** Since when something of it has been kept aside: device time in milliseconds since 1970. */
  readonly since: number;
  /** How far the feed is to be read before any of it is merged: a refusal brought something of it, and may have left out the rest; `null` for no further. */
  readonly until: FeedMoment | null;
}

/** What names a parked group among the others. */
export function nameOf({ headers }: Pick<ParkedGroup, 'headers'>): Key {
  return headers[0]!;
}

/** Maps are no values of an envelope. */
interface StoredGroup extends Omit<ParkedGroup, 'members' | 'until'> {
  readonly members: readonly (readonly [key: Key, version: RecordVersion])[];
  /** Earlier builds have none. */
  readonly until?: FeedMoment | null;
}

export function encodeParked(group: ParkedGroup): Uint8Array {
  return encodeEnvelope({ ...group, members: [...group.members] } satisfies StoredGroup);
}

export function decodeParked(bytes: Uint8Array): ParkedGroup {
  const stored = decodeEnvelope(bytes) as StoredGroup;
  return { ...stored, members: new Map(stored.members), until: stored.until ?? null };
}

/** The parked groups, and which of them a record has to do with. */
export class ParkedGroups {
  readonly #groups = new Map<Key, ParkedGroup>();
  readonly #byRecord = new Map<Key, Set<Key>>();

  /** By name. */
  get all(): ReadonlyMap<Key, ParkedGroup> {
    return this.#groups;
  }

  /** The groups of which a record is the header or a member, or for which its arrival may change something. */
  touching(key: Key): readonly ParkedGroup[] {
    return [...(this.#byRecord.get(key) ?? [])].map((name) => this.#groups.get(name)!);
  }

  /** Records whose images an earlier build kept aside wait by themselves. */
  adopt(sides: ReadonlyMap<Key, HeldImage>): void {
    for (const [key, { version }] of sides) if (!this.#byRecord.has(key)) this.put(key, { headers: [key], members: new Map([[key, version]]), masters: [], since: 0, until: null });
  }

  /** Puts a group, or takes it away. */
  put(name: Key, group: ParkedGroup | null): void {
    const before = this.#groups.get(name);
    for (const key of before === undefined ? [] : namedIn(before)) {
      const names = this.#byRecord.get(key)!;
      names.delete(name);
      if (names.size === 0) this.#byRecord.delete(key);
    }
    if (group === null) {
      this.#groups.delete(name);
      return;
    }
    this.#groups.set(name, group);
    for (const key of namedIn(group)) this.#byRecord.set(key, (this.#byRecord.get(key) ?? new Set()).add(name));
  }
}

/** Every record that a group names. */
export function namedIn({ headers, members, masters }: ParkedGroup): Set<Key> {
  return new Set([...headers, ...members.keys(), ...masters]);
}

/** Every record that a group names which is put, or taken away, and that its former state names. */
export function namesIn(all: ReadonlyMap<Key, ParkedGroup>, [name, group]: readonly [Key, ParkedGroup | null]): Key[] {
  return [all.get(name), group].flatMap((one) => (one ? [...namedIn(one)] : []));
}
