import type { RecordVersion } from '../protocol/version.ts';
import { compareVersions } from '../protocol/version.ts';
import { ATTENTION, type FeedPlanInput, type ImageTable, type PlanGroup, type Verdict } from './core.ts';

const NO_GROUP = -1;
const NO_IMAGE = -1;

/** Decides what to do with each image: newest of its record, newer than the base, nothing in the way of it or of its group. */
export function planImages(images: ImageTable, { layouts, baseVersions, attention, groups = [], groupOf = [], replace }: Omit<FeedPlanInput, 'items'>): Verdict[] {
  const flags = new Map<string, number>();
  for (const entry of attention) {
    const key = recordKey(entry.object, entry.id);
    flags.set(key, (flags.get(key) ?? 0) | entry.flags);
  }
  const keys = Array.from({ length: images.count }, (_, index) => recordKey(layouts[images.layout(index)]!.object, images.id(index)));
  const newest = findNewest(images, keys);
  // Whatever is in the way of one member is in the way of its group (rule A35).
  const groupFlags = groups.map((group) => group.flags | (isComplete(group, images) ? 0 : ATTENTION.incomplete));
  for (const [index, key] of keys.entries()) {
    const group = groupOf[index] ?? NO_GROUP;
    if (group !== NO_GROUP) groupFlags[group]! |= flags.get(key) ?? 0;
  }
  return keys.map((key, index) => {
    if (newest.get(key) !== index) return 'superseded';
    if (!replaces(images.version(index), baseVersions[index]!, replace)) return 'stale';
    const group = groupOf[index] ?? NO_GROUP;
    return verdictOf(group === NO_GROUP ? (flags.get(key) ?? 0) : groupFlags[group]!);
  });
}

/** The index of each record's newest image; of equal versions the later one. */
function findNewest(images: ImageTable, keys: readonly string[]): Map<string, number> {
  const newest = new Map<string, number>();
  for (const [index, key] of keys.entries()) {
    const rival = newest.get(key);
    if (rival === undefined || compareVersions(images.version(index), images.version(rival)) >= 0) newest.set(key, index);
  }
  return newest;
}

/** Says whether all that a group needs is here, or arrives. */
export function isComplete({ needs }: PlanGroup, images: ImageTable): boolean {
  return needs.every(({ image, version, held }) => {
    const arrives = image !== NO_IMAGE && compareVersions(images.version(image), version) >= 0;
    return arrives || compareVersions(held, version) >= 0;
  });
}

function replaces(version: RecordVersion, base: RecordVersion, replace: FeedPlanInput['replace']): boolean {
  const difference = compareVersions(version, base);
  return replace === 'newer' ? difference > 0 : difference >= 0;
}

function verdictOf(flags: number): Verdict {
  // Rules A39 and C7 before A36: an open record with a pending change keeps the image as the side image too.
  if ((flags & (ATTENTION.pending | ATTENTION.inError)) !== 0) return 'discard';
  // Rule A35 before A36: what is incomplete stays so when the last handle is closed.
  if ((flags & ATTENTION.incomplete) !== 0) return 'incomplete';
  return (flags & ATTENTION.inUse) !== 0 ? 'wait' : 'merge';
}

function recordKey(object: string, id: string): string {
  // The length keeps ('ab', 'c') apart from ('a', 'bc').
  return `${object.length}:${object}${id}`;
}
