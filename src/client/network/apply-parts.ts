import { ATTENTION } from '../../core/core.ts';
import { decodeEnvelope } from '../../protocol/envelope.ts';
import type { RecordAnswer } from '../../protocol/messages.ts';
import { compareVersions, type RecordVersion } from '../../protocol/version.ts';
import { headerOf, readAround } from '../answers/around.ts';
import { belongsTo, heldOf, Joined, missingMasters } from '../answers/merge-units.ts';
import { noteScope } from '../answers/note-scope.ts';
import { Parking } from '../answers/parking.ts';
import { mergeFreed } from '../answers/release.ts';
import { Settlement } from '../answers/settle.ts';
import type { EngineContext } from '../engine-context.ts';
import { createdBy } from '../queue/queue-entry.ts';
import { keyOf, splitKey, type Key } from '../store/record-key.ts';
import type { HeldImage } from '../store/rows.ts';
import { isFrom, isReadTo, type FeedMoment } from '../store/feed-moment.ts';
import type { ParkedGroup } from '../store/parked.ts';
import { orderedKey, STATE, type StagedParts } from '../store/stored.ts';
import { attentionAt, decide } from './page-plan.ts';
import { readImages, type AnswerImages } from './server-link.ts';

/** What is kept of one part until all of them are here. */
export interface PartContent extends Pick<RecordAnswer, 'layouts' | 'items' | 'groups' | 'outside'> {
  /** Server time at which it came. */
  readonly time: number;
}

/** One part, and who leads the groups of its records. */
interface StagedPart {
  readonly content: PartContent;
  readonly images: AnswerImages;
  readonly bases: ReadonlyMap<Key, HeldImage>;
  readonly headers: ReadonlyMap<Key, Key>;
}

/** Groups into which nothing of the parts is merged: one, or several between which records move. */
interface Blocked {
  readonly headers: Key[];
  /** What is in the way: bits of `ATTENTION`. */
  readonly flags: number;
}

/** What is decided of the groups of all parts. */
interface Decided {
  /** The groups that are kept aside, by header: what is in their way, and what names those that stay together. */
  readonly applying: NonNullable<StagedParts['applying']>;
  /** Parked groups of which the parts have a newer manifest. */
  readonly outdated: ReadonlySet<ParkedGroup>;
}

/**
 * Takes in a transaction that came in parts, all of which are staged (rules A29, A34, A35). First it is decided for each group whether it is
 * merged, and that is written down; then part after part is applied in a commit of its own, so that no more than one is in memory. Nobody
 * reads in between: it is one step, and the next opening goes on with it before anything is read.
 *
 * @param moment - where the feed was when the last part was read
 */
export async function applyParts(context: EngineContext, moment: FeedMoment): Promise<void> {
  const { store, rules } = context;
  const { applying, outdated } = await decideGroups(context, moment);
  const settlement = new Settlement(store, rules, new Map());
  const parking = new Parking(context, settlement);
  for (const group of outdated) parking.forgetManifest(group, moment);
  settlement.step.meta = { part: { ...store.meta.part!, applying } };
  await store.commit(settlement.step, 'strict');
  await finishParts(context);
}

/** Goes on with what {@link applyParts} began. */
export async function finishParts(context: EngineContext): Promise<void> {
  const { store, rules, emit } = context;
  const { place, cursor, applying } = store.meta.part!;
  const blocked = blockedBy(applying!);
  let records = 0, keptAside = 0;
  for (let index = 0; index <= place; index++) {
    const part = await readPart(context, index);
    // It was applied before the app was stopped.
    if (part === null) continue;
    const kept = await applyPart(context, part, index, blocked);
    records += part.images.keys.length;
    keptAside += kept;
  }
  const settlement = new Settlement(store, rules, new Map());
  for (const name of store.parked.keys()) settlement.freed.add(name);
  settlement.step.meta = { part: null, cursor: rules.cursorAfter({ from: cursor, next: cursor }) };
  const events = await mergeFreed(context, settlement);
  await store.commit(settlement.step, 'strict');
  emit({ type: 'feed:parts-applied', parts: place + 1, records, keptAside });
  events.forEach(emit);
}

/** The groups that stay together are one, under the header of each. */
function blockedBy(applying: NonNullable<StagedParts['applying']>): Map<Key, Blocked> {
  const byName = new Map<Key, Blocked>();
  return new Map(applying.map(([header, flags, name]) => {
    const set = byName.get(name) ?? { headers: [], flags };
    set.headers.push(header);
    byName.set(name, set);
    return [header, set] as const;
  }));
}

async function applyPart(context: EngineContext, part: StagedPart, place: number, blocked: ReadonlyMap<Key, Blocked>): Promise<number> {
  const { store, rules } = context;
  const { content, images, bases } = part;
  const flagsAt = (key: Key): number => blocked.get(leaderOf(context, part, key))?.flags ?? 0;
  const attention = images.keys.map((key) => ({ ...splitKey(key), flags: flagsAt(key) })).filter(({ flags }) => flags !== 0);
  const settlement = new Settlement(store, rules, bases);
  const { step } = settlement;
  const parking = new Parking(context, settlement);
  const kept = new Map<Blocked, Key[]>(), outside = new Set(content.outside);
  decide(context, content, images, bases, { attention, replace: 'newer' }).forEach((verdict, index) => {
    const key = images.keys[index]!, image = images.image(index);
    if (verdict === 'superseded') return;
    if (verdict === 'merge') step.putBase(key, image);
    else if (verdict !== 'stale') {
      const set = blocked.get(leaderOf(context, part, key))!;
      parking.keepAside(key, image);
      kept.set(set, [...(kept.get(set) ?? []), key]);
    }
    noteScope(settlement, key, image, outside.has(index) ? content.time : null);
  });
  for (const [{ headers: own }, arrived] of kept) {
    const before = new Set(own.flatMap((header) => parking.of(header).filter((group) => belongsTo(group, header))));
    const others = content.groups.flatMap((group) => (own.includes(keyOf(group.object, group.id)) ? group.others : []));
    const members = new Map([...[...before].flatMap((group) => [...group.members]), ...others.map(({ object, id, epoch, n }) => [keyOf(object, id), [epoch, n] as const] as const)]);
    parking.park({ headers: [...new Set([...own, ...[...before].flatMap(({ headers }) => headers)])].sort(), members, arrived });
  }
  step.removeState.push(orderedKey(STATE.part, place));
  step.isUntold = true;
  await store.commit(step, 'strict');
  return [...kept.values()].flat().length;
}

/** Decides into which groups nothing of the parts is merged. */
async function decideGroups(context: EngineContext, moment: FeedMoment): Promise<Decided> {
  const { store, places, rules } = context;
  const blocked = new Map<Key, number>(), moves: (readonly [Key, Key])[] = [];
  const block = (header: Key, flags: number): void => {
    if (flags !== 0) blocked.set(header, (blocked.get(header) ?? 0) | flags);
  };
  const unmet = new Map<Key, { readonly header: Key; readonly version: RecordVersion }[]>();
  const stated = new Set<Key>();
  const wanted = new Map<Key, Key | null>();
  const isCreatedHere = (key: Key): boolean => store.entriesOf(key).some((entry) => createdBy(entry).includes(key));
  const mastersOfImage = (part: StagedPart, key: Key, index: number): readonly Key[] =>
    rules.orphanedBy(missingMasters({ places, base: (other) => part.bases.get(other) ?? null, isCreatedHere }, key, part.images.image(index)));

  await eachPart(context, (part) => {
    const base = (key: Key): HeldImage | null => part.bases.get(key) ?? null;
    for (const { object, id, others } of part.content.groups) {
      const header = keyOf(object, id);
      block(header, attentionAt(store, header));
      if (store.parkedOf(header).length > 0) stated.add(header);
      for (const [key, version] of rules.needsOf(new Map(others.map((other) => [keyOf(other.object, other.id), [other.epoch, other.n] as const])))) {
        if (compareVersions(heldOf(key, base, (other) => store.side(other)), version) < 0) unmet.set(key, [...(unmet.get(key) ?? []), { header, version }]);
      }
    }
    part.images.keys.forEach((key, index) => {
      const header = leaderOf(context, part, key), former = base(key) === null ? header : headerOf(places, key, base);
      block(header, attentionAt(store, key) | attentionAt(store, former));
      const aside = store.parkedOf(key).filter((group) => belongsTo(group, key)).flatMap(({ headers }) => headers);
      for (const other of [former, ...aside]) if (other !== header) moves.push([header, other]);
      for (const master of mastersOfImage(part, key, index)) wanted.set(master, null);
    });
  });
  // What is not on the device may be in another part.
  if (wanted.size > 0 || unmet.size > 0) {
    await eachPart(context, (part) => {
      part.images.keys.forEach((key, index) => {
        if (wanted.has(key)) wanted.set(key, leaderOf(context, part, key));
        const needs = unmet.get(key);
        if (needs !== undefined) unmet.set(key, needs.filter(({ version }) => compareVersions(part.images.image(index).version, version) < 0));
      });
    });
  }
  const isNewer = ({ headers, until }: ParkedGroup): boolean => headers.every((header) => stated.has(header)) && isFrom(moment, until);
  const after = { cursor: store.meta.part!.cursor, hasFeedGap: store.meta.hasFeedGap };
  for (const header of stated) if (store.parkedOf(header).some((group) => belongsTo(group, header) && !isReadTo(group.until, after) && !isNewer(group))) block(header, ATTENTION.incomplete);
  for (const needs of unmet.values()) for (const { header } of needs) block(header, ATTENTION.incomplete);
  const isAbsent = (master: Key): boolean => wanted.get(master) === null || blocked.has(wanted.get(master)!);
  // What is in the way of one group is in the way of what hangs on it, and of the group between which and it a record moves.
  for (let known = -1; known < blocked.size && ([...wanted.keys()].some(isAbsent) || moves.length > 0); ) {
    known = blocked.size;
    for (const [header, former] of moves) {
      if (blocked.has(header) !== blocked.has(former)) block(blocked.has(header) ? former : header, ATTENTION.incomplete);
    }
    await eachPart(context, (part) => {
      part.images.keys.forEach((key, index) => {
        const header = leaderOf(context, part, key);
        if (!blocked.has(header) && mastersOfImage(part, key, index).some((master) => wanted.get(master) !== header && isAbsent(master))) block(header, ATTENTION.incomplete);
      });
    });
  }
  const together = new Joined();
  for (const header of blocked.keys()) together.join([header]);
  for (const move of moves) if (blocked.has(move[0])) together.join(move);
  const outdated = [...stated].flatMap((header) => store.parkedOf(header).filter(({ headers }) => headers.includes(header) && headers.every((one) => stated.has(one))));
  return { applying: [...blocked].map(([header, flags]) => [header, flags, together.root(header)] as const), outdated: new Set(outdated) };
}

async function eachPart(context: EngineContext, look: (part: StagedPart) => void): Promise<void> {
  const { place } = context.store.meta.part!;
  for (let index = 0; index <= place; index++) look((await readPart(context, index))!);
}

async function readPart(context: EngineContext, place: number): Promise<StagedPart | null> {
  const { store, core } = context;
  const bytes = await store.readState(orderedKey(STATE.part, place));
  if (bytes === null) return null;
  const content = decodeEnvelope(bytes) as PartContent;
  const items = new Uint8Array(content.items.buffer, content.items.byteOffset, content.items.byteLength);
  const images = readImages(core, { ...content, items });
  const others = content.groups.flatMap((group) => [keyOf(group.object, group.id), ...group.others.map((other) => keyOf(other.object, other.id))]);
  const bases = await readAround(context, others, new Map(images.keys.map((key, index) => [key, images.image(index)])));
  const headers = new Map(content.groups.flatMap(({ object, id, members }) => members.map((index) => [images.keys[index]!, keyOf(object, id)] as const)));
  return { content: { ...content, items }, images, bases, headers };
}

/** Who leads the group of a record: what is hidden is where it was. */
function leaderOf({ places }: EngineContext, { headers, bases }: StagedPart, key: Key): Key {
  return headers.get(key) ?? headerOf(places, key, (other) => bases.get(other) ?? null);
}
