import type { ImageState } from '../../protocol/items.ts';
import type { RecordVersion } from '../../protocol/version.ts';
import type { Principal } from '../principal.ts';
import type { ServerParts } from '../server-parts.ts';
import type { ServerObject } from '../server-schema.ts';
import { keyText, type RecordKey, type RecordOutline, type StoreView } from '../store/server-store.ts';

/** A record as one reader sees it, without its values. */
export interface Glimpse extends RecordKey {
  readonly version: RecordVersion;
  readonly state: ImageState;
  readonly parentId: string | null;
  /** How many bytes it adds to an answer; 0 unless live. */
  readonly byteLength: number;
}

/**
 * What has to travel with a record (rule A35): its masters at all levels, and every member of its transaction group that the reader may
 * see. Looks are for many records at once, level by level: their number does not grow with that of the records.
 */
export class Surroundings {
  readonly #parts: Pick<ServerParts, 'schema' | 'visibility'>;
  readonly #view: StoreView;
  readonly #reader: Principal;
  /** `null`: it was never saved. */
  readonly #seen = new Map<string, Glimpse | null>();
  /** By the key of the record that leads the group. */
  readonly #members = new Map<string, Glimpse[]>();

  constructor(parts: Pick<ServerParts, 'schema' | 'visibility'>, view: StoreView, reader: Principal) {
    this.#parts = parts;
    this.#view = view;
    this.#reader = reader;
  }

  /** Looks at records and at all that is around them. */
  async reach(keys: readonly RecordKey[]): Promise<void> {
    const leaders = new Map<string, RecordKey>();
    for (const glimpse of await this.#lookUp(keys)) {
      const leader = this.leaderOf(glimpse);
      if (leader !== null && !this.#members.has(keyText(leader))) leaders.set(keyText(leader), leader);
    }
    for (const text of leaders.keys()) {
      const own = this.#seen.get(text) ?? null;
      this.#members.set(text, own?.state === 'live' ? [own] : []);
    }
    await this.#lookDown([...leaders.values()]);
  }

  /** What was seen of a record; `null` when it was never saved, or not reached. */
  glimpse(key: RecordKey): Glimpse | null {
    return this.#seen.get(keyText(key)) ?? null;
  }

  /**
   * Everything that has to be on a page with these records, they themselves first: so a page never has a child without its master, nor
   * a group without a member. A master that the reader never could see is told of as one that was never there would be.
   */
  around(keys: readonly RecordKey[]): Map<string, Glimpse> {
    const found = new Map<string, Glimpse>();
    for (const key of keys) {
      const glimpse = this.glimpse(key);
      if (glimpse !== null) found.set(keyText(key), glimpse);
    }
    const add = (other: Glimpse): void => void (found.has(keyText(other)) || found.set(keyText(other), other));
    const taken = new Set<string>();
    // Grows while it is walked.
    for (const glimpse of found.values()) {
      const leader = this.leaderOf(glimpse), parent = glimpse.state === 'live' ? this.#parentOf(glimpse) : null;
      const group = leader === null ? null : keyText(leader);
      // Once for a group, not once for each of its members.
      if (group !== null && !taken.has(group)) this.#members.get(group)!.forEach(add);
      if (group !== null) taken.add(group);
      if (parent !== null) add(this.#masterFor(parent));
    }
    return found;
  }

  /** The record that leads a record's group, as far as this reader may know of it; `null` outside groups. */
  leaderOf(start: Glimpse): RecordKey | null {
    if (this.#typeOf(start).header === null || start.state === 'hidden') return null;
    for (let at = start; ; ) {
      const { parent } = this.#typeOf(at);
      if (parent === null || !parent.isGroup || at.parentId === null) return { object: at.object, id: at.id };
      const key = { object: parent.target, id: at.parentId };
      const above = this.glimpse(key);
      // What is above one that the reader cannot see is nothing that the reader may know.
      if (above?.state !== 'live') return key;
      at = above;
    }
  }

  /** Looks at records and their masters at all levels; returns those that were not seen before. */
  async #lookUp(keys: readonly RecordKey[]): Promise<Glimpse[]> {
    const found: Glimpse[] = [];
    for (let level = this.#unseen(keys); level.length > 0; ) {
      for (const key of level) this.#seen.set(keyText(key), null);
      const glimpses = await this.#judge(await this.#view.outlines(level));
      found.push(...glimpses);
      level = this.#unseen(glimpses.flatMap((glimpse) => this.#parentOf(glimpse) ?? []));
    }
    return found;
  }

  /** Looks at all that hangs on the leaders of groups. */
  async #lookDown(leaders: readonly RecordKey[]): Promise<void> {
    const leaderOf = new Map(leaders.map((leader) => [keyText(leader), keyText(leader)]));
    for (let level: readonly RecordKey[] = leaders; level.length > 0; ) {
      const below: Glimpse[] = [];
      for (const object of new Set(level.map((master) => master.object))) {
        const ids = level.filter((master) => master.object === object).map(({ id }) => id);
        for (const { name } of this.#parts.schema.objects.get(object)!.children.filter(({ isGroup }) => isGroup)) {
          for (const glimpse of await this.#judge(await this.#view.childOutlines(name, ids))) {
            if (glimpse.state !== 'live' || glimpse.parentId === null) continue;
            const leader = leaderOf.get(keyText({ object, id: glimpse.parentId }))!;
            leaderOf.set(keyText(glimpse), leader);
            this.#members.get(leader)!.push(glimpse);
            below.push(glimpse);
          }
        }
      }
      level = below;
    }
  }

  /** Says what the reader sees of them. Objects that the schema no longer has cannot be sent: nothing describes their rows. */
  async #judge(all: readonly RecordOutline[]): Promise<Glimpse[]> {
    const outlines = all.filter(({ object }) => this.#parts.schema.objects.has(object));
    const states = await this.#parts.visibility.states(this.#view, this.#reader, outlines);
    return outlines.map(({ object, id, version, parentId, byteLength }, index) => {
      const state = states[index]!;
      const glimpse: Glimpse = { object, id, version, state, parentId, byteLength: state === 'live' ? byteLength : 0 };
      this.#seen.set(keyText(glimpse), glimpse);
      return glimpse;
    });
  }

  #unseen(keys: readonly RecordKey[]): RecordKey[] {
    const distinct = new Map(keys.map((key) => [keyText(key), key]));
    return [...distinct.values()].filter((key) => !this.#seen.has(keyText(key)));
  }

  /** The master that a record names; which one that is of a hidden record is not the reader's to know. */
  #parentOf(glimpse: Glimpse): RecordKey | null {
    const { parent } = this.#typeOf(glimpse);
    return parent === null || glimpse.parentId === null || glimpse.state === 'hidden' ? null : { object: parent.target, id: glimpse.parentId };
  }

  #masterFor(key: RecordKey): Glimpse {
    const master = this.glimpse(key);
    return master === null || master.state === 'hidden' ? unknown(key) : master;
  }

  #typeOf({ object }: RecordKey): ServerObject {
    return this.#parts.schema.objects.get(object)!;
  }
}

/** The lowest version there is: whatever the device holds is newer. */
const NEVER_SEEN: RecordVersion = [0, 1];

function unknown({ object, id }: RecordKey): Glimpse {
  return { object, id, version: NEVER_SEEN, state: 'hidden', parentId: null, byteLength: 0 };
}
