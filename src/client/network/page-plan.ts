import { ATTENTION, type FeedPlanInput, type PlanGroup, type Verdict } from '../../core/core.ts';
import { planImages } from '../../core/twin-plan.ts';
import type { RecordAnswer } from '../../protocol/messages.ts';
import { compareVersions, type RecordVersion } from '../../protocol/version.ts';
import { readAround } from '../answers/around.ts';
import { flagsOf, gatherUnits, heldOf, missingMasters, type Manifest, type MergeUnit } from '../answers/merge-units.ts';
import type { NetworkContext } from '../engine-context.ts';
import { createdBy } from '../queue/queue-entry.ts';
import type { LocalStore } from '../store/local-store.ts';
import { isReadTo } from '../store/feed-moment.ts';
import { keyOf, type Key } from '../store/record-key.ts';
import { versionOf, type HeldImage } from '../store/rows.ts';
import type { Meta } from '../store/stored.ts';
import type { AnswerImages } from './server-link.ts';

/** The images of a page from the server, and what is to be done with each. */
export interface PagePlan {
  readonly images: AnswerImages;
  readonly verdicts: readonly Verdict[];
  /** What this device holds of the page's records, and of all that has to do with them. */
  readonly bases: ReadonlyMap<Key, HeldImage>;
}

/** The same, with what is merged all at once or not at all. */
export interface GroupedPlan extends PagePlan {
  readonly units: readonly PlannedUnit[];
  /** The newest image of each record. */
  readonly newest: ReadonlyMap<Key, HeldImage>;
}

/** A unit, and what is in its way: bits of `ATTENTION`, for the words that tell of it. */
export interface PlannedUnit extends MergeUnit {
  readonly flags: number;
}

/**
 * Validates a page of the feed, or a record with its group, and lets the core decide about each image, group by group (rules A34–A39, C6).
 *
 * @param after - where the feed is read from after it
 */
export async function planPage(context: NetworkContext, page: Pick<RecordAnswer, 'layouts' | 'items' | 'groups' | 'server'>, after: Pick<Meta, 'cursor' | 'hasFeedGap'>): Promise<GroupedPlan> {
  const { store, link, places, rules } = context;
  const images = link.images(page);
  const { newest, places: indices } = newestOf(images);
  const manifests = page.groups.map((group) => manifestOf(group, images));
  const bases = await readAround(context, manifests.flatMap(({ header, members }) => [header, ...members.keys()]), newest);
  const base = (key: Key): HeldImage | null => bases.get(key) ?? null;
  const side = (key: Key): HeldImage | null => store.side(key);
  const isCreatedHere = (key: Key): boolean => store.entriesOf(key).some((entry) => createdBy(entry).includes(key));
  const moment = { epoch: page.server.epoch, position: page.server.head };
  const units = rules.unitsOf(gatherUnits({ places, images: newest, manifests, moment, base, side, parkedOf: (key) => store.parkedOf(key) }));
  const unitOf = new Map(units.flatMap(({ arrived }, index) => arrived.map((key) => [key, index] as const)));
  // What is kept aside of a unit is merged with what came in of it, or neither is.
  const waiting = units.map(({ members }) => [...members.keys()].filter((key) => !newest.has(key) && side(key) !== null));
  // A master of the same group is merged with it, or neither is.
  const missing = (unit: number, keys: readonly Key[]): readonly Key[] =>
    rules.orphanedBy(keys.flatMap((key) => missingMasters({ places, base, isCreatedHere }, key, newest.get(key) ?? side(key)!)).filter((master) => !units[unit]!.members.has(master)));
  const flags = units.map(({ headers, members, arrived, until }, unit) => {
    const around = [...new Set([...headers, ...members.keys(), ...arrived])].reduce((before, key) => before | attentionAt(store, key), 0);
    const isOrphaned = missing(unit, [...arrived, ...waiting[unit]!]).some((master) => !newest.has(master));
    return isOrphaned || !isReadTo(until, after) ? around | ATTENTION.incomplete : around;
  });
  for (;;) {
    const groups = units.map(({ members }, index): PlanGroup => ({
      flags: flags[index]!,
      needs: [...rules.needsOf(members)].map(([key, version]) => ({ image: indices.get(key) ?? -1, version, held: heldOf(key, base, side) })),
    }));
    const groupOf = images.keys.map((key) => unitOf.get(key) ?? -1);
    const verdicts = decide(context, images, bases, { attention: [], groups, groupOf, replace: 'newer' });
    // What hangs on a record of this page that is not merged itself waits with it (rule A35).
    const left = units.flatMap(({ arrived }, unit) => {
      const merged = arrived.filter((key) => isMerged(verdicts, indices, key));
      return merged.length > 0 && missing(unit, [...merged, ...waiting[unit]!]).some((master) => !isMerged(verdicts, indices, master)) ? [unit] : [];
    });
    if (left.length === 0) return { images, bases, newest, verdicts, units: units.map((unit, index) => ({ ...unit, flags: flags[index]! })) };
    for (const unit of left) flags[unit]! |= ATTENTION.incomplete;
  }
}

function isMerged(verdicts: readonly Verdict[], indices: ReadonlyMap<Key, number>, key: Key): boolean {
  const index = indices.get(key);
  return index !== undefined && verdicts[index] === 'merge';
}

/** Lets the core decide about each image. */
export function decide(
  { rules }: Pick<NetworkContext, 'rules'>,
  { layouts, keys, image, table }: AnswerImages,
  bases: ReadonlyMap<Key, HeldImage>,
  input: Pick<FeedPlanInput, 'attention' | 'groups' | 'groupOf' | 'replace'>,
): Verdict[] {
  const baseVersions = keys.map((key, index) => versionUnder(bases.get(key), () => image(index)));
  return planImages(table, { layouts, baseVersions, ...input }).map(rules.verdict);
}

/** What was hidden, as by a download that no longer had it, comes back as it was when the user may see it again: with all of its group. */
function versionUnder(base: HeldImage | undefined, read: () => HeldImage): RecordVersion {
  if (base?.state !== 'hidden') return versionOf(base);
  const { state, version } = read(), [epoch, n] = base.version;
  return state === 'live' && compareVersions(version, base.version) === 0 ? [epoch, n - 1] : base.version;
}

/** The newest image of each record, and its place on the page. */
function newestOf(images: AnswerImages): { readonly newest: Map<Key, HeldImage>; readonly places: Map<Key, number> } {
  const newest = new Map<Key, HeldImage>(), places = new Map<Key, number>();
  images.keys.forEach((key, index) => {
    const image = images.image(index), rival = newest.get(key);
    if (rival !== undefined && compareVersions(image.version, rival.version) < 0) return;
    newest.set(key, image);
    places.set(key, index);
  });
  return { newest, places };
}

function manifestOf({ object, id, members, others }: RecordAnswer['groups'][number], images: AnswerImages): Manifest {
  const here = [...images.byKey(members)].map(([key, { version }]) => [key, version] as const);
  return { header: keyOf(object, id), members: new Map([...others.map((other) => [keyOf(other.object, other.id), [other.epoch, other.n] as const] as const), ...here]) };
}

/** What is in the way of a record, or of the group that it leads (rule A34, conditions 2 and 3). */
export function attentionAt(store: LocalStore, key: Key): number {
  return flagsOf(store.entriesAround(key)) | (store.isInUse(key) ? ATTENTION.inUse : 0);
}
