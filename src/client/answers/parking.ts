import { ATTENTION } from '../../core/core.ts';
import { createdBy, laneKeysOf } from '../queue/queue-entry.ts';
import type { EngineContext } from '../engine-context.ts';
import { isFrom, isReadTo, laterOf, type FeedMoment } from '../store/feed-moment.ts';
import { nameOf, ParkedGroups, type ParkedGroup } from '../store/parked.ts';
import type { Key } from '../store/record-key.ts';
import { versionOf, type HeldImage } from '../store/rows.ts';
import { belongsTo, flagsOf, isComplete, missingMasters, type MergeUnit } from './merge-units.ts';
import type { Settlement } from './settle.ts';

/** An image that was kept aside and became the base of its record. */
export interface Released {
  readonly key: Key;
  readonly before: HeldImage | null;
  readonly image: HeldImage;
  /** It had been kept aside before this step. */
  readonly waited: boolean;
}

const NO_DRAFTS: ReadonlyMap<Key, string> = new Map();

/** What is kept aside, as a step leaves it: puts units aside, and merges those that nothing is in the way of any more (rules A34–A39). */
export class Parking {
  readonly #context: EngineContext;
  readonly #settlement: Settlement;
  readonly #outOfUse: ReadonlySet<Key>;
  readonly #changed = new ParkedGroups();

  /** @param outOfUse - records that the step itself puts out of use: those of a draft that ends. */
  constructor(context: EngineContext, settlement: Settlement, outOfUse: ReadonlySet<Key> = new Set()) {
    this.#context = context;
    this.#settlement = settlement;
    this.#outOfUse = outOfUse;
    for (const [name, group] of settlement.step.parked) this.#changed.put(name, group);
  }

  /** The parked groups of which a record is the header or a member, or that wait for it. */
  readonly of = (key: Key): readonly ParkedGroup[] => {
    const { parked } = this.#settlement.step;
    return [...this.#context.store.parkedOf(key).filter((group) => !parked.has(nameOf(group))), ...this.#changed.touching(key)];
  };

  /** Keeps the newest image of a record that must not be merged into now (rule C7). */
  keepAside(key: Key, image: HeldImage): void {
    const { rules } = this.#context;
    const side = this.#settlement.side(key);
    if (side !== null && !rules.isNewer(image.version, side.version)) return;
    if (rules.keepsAside(image)) this.#settlement.step.putSide(key, image);
  }

  /** Whether something of a unit is kept aside already. */
  isParked({ headers }: MergeUnit): boolean {
    return headers.some((header) => this.of(header).some((group) => belongsTo(group, header)));
  }

  /** Notes that something of a unit is kept aside, in the place of what was noted of it before. */
  park({ headers, members, arrived, until }: Omit<MergeUnit, 'until'> & Partial<MergeUnit>): void {
    const former = new Set(headers.flatMap((header) => this.of(header).filter((group) => belongsTo(group, header))));
    const since = Math.min(this.#context.clock.now(), ...[...former].map((group) => group.since));
    for (const group of former) this.#put(nameOf(group), null);
    const all = new Map(members);
    for (const key of arrived) if (!all.has(key)) all.set(key, versionOf(this.#settlement.side(key)));
    const awaited = until === undefined ? [...former].map((group) => group.until).reduce(laterOf, null) : until;
    this.#put(headers[0]!, { headers, members: all, masters: [], since, until: awaited });
  }

  /** Lets go of an older manifest for one of a moment: what is kept aside of the group stays. */
  forgetManifest(group: ParkedGroup, moment: FeedMoment): void {
    const members = new Map([...group.members.keys()].flatMap((key) => {
      const side = this.#settlement.side(key);
      return side === null ? [] : [[key, side.version] as const];
    }));
    this.#put(nameOf(group), { ...group, members, until: isFrom(moment, group.until) ? null : group.until });
  }

  /** Merges what is free of the groups that some records have to do with, and then what waited for that. */
  release(keys: Iterable<Key>): Released[] {
    const { rules } = this.#context;
    const waiting = this.#flagsOfStep();
    const released: Released[] = [];
    const names = [...new Set([...keys].flatMap((key) => this.of(key).map(nameOf)))];
    // Grows while it is walked.
    for (const name of names) {
      const group = this.#named(name);
      if (group === null) continue;
      const { flags, masters } = this.#look(group, waiting);
      if (!rules.isReleased(flags)) {
        if (!this.#keepsNewer(group)) this.#put(name, null);
        else if (masters.length !== group.masters.length || masters.some((master, index) => master !== group.masters[index])) this.#put(name, { ...group, masters });
        continue;
      }
      this.#put(name, null);
      for (const key of group.members.keys()) this.#merge(key, released);
      names.push(...new Set([...group.members.keys()].flatMap((key) => this.of(key).map(nameOf))));
    }
    return released;
  }

  /** Rule A27: lets go of what is no newer than the answer to an own save; says whether anything of a group is still kept aside. */
  #keepsNewer({ members }: ParkedGroup): boolean {
    const { rules, store } = this.#context;
    const { step, base, side } = this.#settlement;
    let isAny = false;
    for (const key of members.keys()) {
      const image = side(key);
      if (image === null) continue;
      if (rules.replaces(image.version, versionOf(base(key)))) isAny = true;
      else if (store.side(key) === null) step.sides.delete(key);
      else step.sides.set(key, null);
    }
    return isAny;
  }

  /** What is in the way of a group, and which masters it hangs on that are not here. */
  #look(group: ParkedGroup, waiting: ReadonlyMap<Key, number>): { readonly flags: number; readonly masters: readonly Key[] } {
    const { places, rules } = this.#context;
    const { base, side, step } = this.#settlement;
    const isCreatedHere = (key: Key): boolean => this.#settlement.entriesOf(key).some((entry) => createdBy(entry).includes(key));
    const isWhole = isReadTo(group.until, { ...this.#context.store.meta, ...step.meta }) && isComplete(rules.needsOf(group.members), base, side);
    let flags = isWhole ? 0 : ATTENTION.incomplete;
    for (const key of [...group.headers, ...group.members.keys()]) flags |= this.#flagsAt(key) | (waiting.get(key) ?? 0);
    const masters = [...group.members.keys()].flatMap((key) => {
      const image = side(key);
      return image === null ? [] : missingMasters({ places, base, isCreatedHere }, key, image);
    });
    const missing = rules.orphanedBy([...new Set(masters)].filter((master) => !group.members.has(master)));
    return { flags: missing.length > 0 ? flags | ATTENTION.incomplete : flags, masters: missing };
  }

  /** What entries, as they were before the step, drafts and handles make of a record. */
  #flagsAt(key: Key): number {
    const { store, rules } = this.#context;
    const { entries } = this.#settlement.step;
    const isInUse = this.#outOfUse.has(key) ? rules.isInUse(NO_DRAFTS, key, store.inUse) : store.isInUse(key);
    return flagsOf(store.entriesAround(key).filter(({ seq }) => !entries.has(seq))) | (isInUse ? ATTENTION.inUse : 0);
  }

  /** The same of the entries that the step puts. */
  #flagsOfStep(): Map<Key, number> {
    const flags = new Map<Key, number>();
    for (const entry of this.#settlement.step.entries.values()) {
      if (entry !== null) for (const key of laneKeysOf(entry)) flags.set(key, (flags.get(key) ?? 0) | flagsOf([entry]));
    }
    return flags;
  }

  #merge(key: Key, released: Released[]): void {
    const { rules, store } = this.#context;
    const { step, base, side } = this.#settlement;
    const image = side(key);
    if (image === null) return;
    const before = base(key), waited = store.side(key) !== null;
    if (waited) step.sides.set(key, null);
    else step.sides.delete(key);
    if (!rules.replaces(image.version, versionOf(before))) return;
    step.putBase(key, image);
    released.push({ key, before, image, waited });
  }

  #named(name: Key): ParkedGroup | null {
    const { step } = this.#settlement;
    const changed = step.parked.get(name);
    return changed === undefined ? (this.#context.store.parked.get(name) ?? null) : changed;
  }

  #put(name: Key, group: ParkedGroup | null): void {
    const { step } = this.#settlement;
    if (group === null && !this.#context.store.parked.has(name)) step.parked.delete(name);
    else step.parked.set(name, group);
    this.#changed.put(name, group);
  }
}
