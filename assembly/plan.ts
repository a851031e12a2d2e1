import {
  ATTENTION_FLAGS,
  ATTENTION_ID_AT,
  ATTENTION_ID_BYTES,
  ATTENTION_INCOMPLETE,
  ATTENTION_IN_ERROR,
  ATTENTION_IN_USE,
  ATTENTION_OBJECT,
  ATTENTION_PENDING,
  ATTENTION_WORDS,
  BASE_WORDS,
  IMAGE_EPOCH,
  IMAGE_ID_AT,
  IMAGE_ID_BYTES,
  IMAGE_LAYOUT,
  IMAGE_WORDS,
  NEED_EPOCH,
  NEED_GROUP,
  NEED_HELD_EPOCH,
  NEED_IMAGE,
  NEED_WORDS,
  NO_INDEX,
  PLAN_ATTENTION,
  PLAN_NEEDS,
  PLAN_VERDICTS,
  PLAN_WORDS,
  VERDICT_DISCARD,
  VERDICT_INCOMPLETE,
  VERDICT_MERGE,
  VERDICT_STALE,
  VERDICT_SUPERSEDED,
  VERDICT_WAIT,
} from './layout';
import { byteAt, clear, isSame, longAt, setByte, setWord, wordAt } from './bytes';
import { hashRecord } from './hash';
import { areLayouts, layoutAt, layoutCount, objectOf } from './layouts';

// While a plan is made, the byte of an image among the verdicts holds its attention flags, or SUPERSEDED.
const SUPERSEDED: u32 = 0x80;
const FLAGS: u32 = ATTENTION_PENDING | ATTENTION_IN_ERROR | ATTENTION_IN_USE | ATTENTION_INCOMPLETE;

/** What a plan is made of, as layout.ts draws it. */
@unmanaged
export class FeedPlan {
  items: usize;
  itemsBytes: u32;
  layouts: usize;
  layoutsBytes: u32;
  index: usize;
  count: u32;
  bases: usize;
  attention: usize;
  attentionBytes: u32;
  attentionCount: u32;
  mergesEqual: u32;
  groupOf: usize;
  needs: usize;
  needCount: u32;
  seed: usize;
  table: usize;
  tableSlots: u32;
  groups: usize;
  groupCount: u32;
  verdicts: usize;
}

// The class and the drawing agree, or the build stops.
if (offsetof<FeedPlan>() != PLAN_WORDS * 4) ERROR('FeedPlan has another size in layout.ts');
if (offsetof<FeedPlan>('attention') != PLAN_ATTENTION * 4) ERROR('FeedPlan.attention differs from layout.ts');
if (offsetof<FeedPlan>('needs') != PLAN_NEEDS * 4) ERROR('FeedPlan.needs differs from layout.ts');
if (offsetof<FeedPlan>('verdicts') != PLAN_VERDICTS * 4) ERROR('FeedPlan.verdicts differs from layout.ts');

/** Says whether all that tables point to is there, and the hash table has room: what making a plan relies on. */
export function isSound(plan: FeedPlan): bool {
  const slots = plan.tableSlots;
  if (!areLayouts(plan.layouts, plan.layoutsBytes) || slots <= plan.count || popcnt(slots) != 1) return false;
  return areImages(plan) && areAttention(plan) && areNeeds(plan);
}

function areImages(plan: FeedPlan): bool {
  for (let image: u32 = 0; image < plan.count; image++) {
    const entry = imageAt(plan, image);
    if (wordOf(entry, IMAGE_LAYOUT) >= layoutCount(plan.layouts)) return false;
    if (<u64>wordOf(entry, IMAGE_ID_AT) + wordOf(entry, IMAGE_ID_BYTES) > plan.itemsBytes) return false;
    if (groupOf(plan, image) != NO_INDEX && groupOf(plan, image) >= plan.groupCount) return false;
  }
  return true;
}

function areAttention(plan: FeedPlan): bool {
  if (<u64>plan.attentionCount * ATTENTION_WORDS * 4 > plan.attentionBytes) return false;
  for (let index: u32 = 0; index < plan.attentionCount; index++) {
    const entry = attentionAt(plan, index);
    if (<u64>wordOf(entry, ATTENTION_ID_AT) + wordOf(entry, ATTENTION_ID_BYTES) > plan.attentionBytes) return false;
  }
  return true;
}

function areNeeds(plan: FeedPlan): bool {
  for (let index: u32 = 0; index < plan.needCount; index++) {
    const need = needAt(plan, index), image = wordOf(need, NEED_IMAGE);
    if (wordOf(need, NEED_GROUP) >= plan.groupCount || (image != NO_INDEX && image >= plan.count)) return false;
  }
  return true;
}

/** Writes a verdict for every image, a byte each. */
export function planImages(plan: FeedPlan): void {
  clear(plan.verdicts, plan.count);
  clear(plan.table, plan.tableSlots * 4);
  for (let image: u32 = 0; image < plan.count; image++) keepNewest(plan, image);
  for (let index: u32 = 0; index < plan.attentionCount; index++) noteAttention(plan, attentionAt(plan, index));
  for (let index: u32 = 0; index < plan.needCount; index++) noteNeed(plan, needAt(plan, index));
  for (let image: u32 = 0; image < plan.count; image++) joinGroup(plan, image);
  for (let image: u32 = 0; image < plan.count; image++) setByte(plan.verdicts + image, verdictOf(plan, image));
}

/** Keeps the newest image of each record in the table, of equal versions the later one, and marks the others. */
function keepNewest(plan: FeedPlan, image: u32): void {
  const entry = imageAt(plan, image);
  const slot = slotOf(plan, entry);
  const rival = wordAt(slot);
  const isNewest = rival == 0 || compareVersions(versionOf(entry), versionOf(imageAt(plan, rival - 1))) >= 0;
  if (rival != 0) setByte(plan.verdicts + (isNewest ? rival - 1 : image), SUPERSEDED);
  if (isNewest) setWord(slot, image + 1);
}

/** Adds the flags of an attention entry to the newest image of its record, if the batch has one. */
function noteAttention(plan: FeedPlan, entry: usize): void {
  const id = plan.attention + wordOf(entry, ATTENTION_ID_AT);
  const image = wordAt(findSlot(plan, wordOf(entry, ATTENTION_OBJECT), id, wordOf(entry, ATTENTION_ID_BYTES)));
  if (image == 0) return;
  const mark = plan.verdicts + (image - 1);
  setByte(mark, byteAt(mark) | (wordOf(entry, ATTENTION_FLAGS) & FLAGS));
}

/** A group is incomplete without one of its members (rule A35). */
function noteNeed(plan: FeedPlan, need: usize): void {
  const version = need + NEED_EPOCH * 4, image = wordOf(need, NEED_IMAGE);
  if (compareVersions(need + NEED_HELD_EPOCH * 4, version) >= 0) return;
  if (image != NO_INDEX && compareVersions(versionOf(imageAt(plan, image)), version) >= 0) return;
  markGroup(plan, wordOf(need, NEED_GROUP), ATTENTION_INCOMPLETE);
}

/** What is in the way of an image's record is in the way of its group, also where a newer image of the record stands elsewhere. */
function joinGroup(plan: FeedPlan, image: u32): void {
  const group = groupOf(plan, image);
  if (group == NO_INDEX) return;
  markGroup(plan, group, byteAt(plan.verdicts + wordAt(slotOf(plan, imageAt(plan, image))) - 1));
}

function markGroup(plan: FeedPlan, group: u32, flags: u32): void {
  const mark = plan.groups + group * 4;
  setWord(mark, wordAt(mark) | flags);
}

function slotOf(plan: FeedPlan, entry: usize): usize {
  return findSlot(plan, objectOfImage(plan, entry), idOf(plan, entry), wordOf(entry, IMAGE_ID_BYTES));
}

/** The word of the table that holds a record's image as its number plus one, or the empty one where it belongs. */
function findSlot(plan: FeedPlan, object: u32, id: usize, idBytes: u32): usize {
  const mask = plan.tableSlots - 1;
  let at = hashRecord(plan.seed, object, id, idBytes) & mask;
  while (true) {
    const slot = plan.table + at * 4;
    const image = wordAt(slot);
    // The table has more slots than images: an empty one comes.
    if (image == 0 || isRecord(plan, imageAt(plan, image - 1), object, id, idBytes)) return slot;
    at = (at + 1) & mask;
  }
}

function isRecord(plan: FeedPlan, entry: usize, object: u32, id: usize, idBytes: u32): bool {
  const otherId = idOf(plan, entry);
  return objectOfImage(plan, entry) == object && isSame(id, id + idBytes, otherId, otherId + wordOf(entry, IMAGE_ID_BYTES));
}

function verdictOf(plan: FeedPlan, image: u32): u32 {
  const mark = byteAt(plan.verdicts + image);
  if (mark == SUPERSEDED) return VERDICT_SUPERSEDED;
  const difference = compareVersions(versionOf(imageAt(plan, image)), plan.bases + image * BASE_WORDS * 4);
  if (difference < 0 || (difference == 0 && plan.mergesEqual == 0)) return VERDICT_STALE;
  const group = groupOf(plan, image), flags = group == NO_INDEX ? mark : wordAt(plan.groups + group * 4);
  return verdictOfFlags(flags);
}

/** What becomes of an image that is newer than the base, by what is in the way of its record or of its group. */
export function verdictOfFlags(flags: u32): u32 {
  // Rules A39 and C7 before A36: an open record with a pending change keeps the image as the side image too.
  if ((flags & (ATTENTION_PENDING | ATTENTION_IN_ERROR)) != 0) return VERDICT_DISCARD;
  // Rule A35 before A36: what is incomplete stays so when the last handle is closed.
  if ((flags & ATTENTION_INCOMPLETE) != 0) return VERDICT_INCOMPLETE;
  return (flags & ATTENTION_IN_USE) != 0 ? VERDICT_WAIT : VERDICT_MERGE;
}

/** Compares two versions, wherever they stand: an epoch, and behind it a number of two words. */
export function compareVersions(version: usize, other: usize): i32 {
  const epoch = wordAt(version), otherEpoch = wordAt(other);
  if (epoch != otherEpoch) return epoch < otherEpoch ? -1 : 1;
  const n = longAt(version + 4), otherN = longAt(other + 4);
  return n < otherN ? -1 : i32(n > otherN);
}

function imageAt(plan: FeedPlan, image: u32): usize {
  return plan.index + image * IMAGE_WORDS * 4;
}

function attentionAt(plan: FeedPlan, index: u32): usize {
  return plan.attention + index * ATTENTION_WORDS * 4;
}

function needAt(plan: FeedPlan, index: u32): usize {
  return plan.needs + index * NEED_WORDS * 4;
}

function groupOf(plan: FeedPlan, image: u32): u32 {
  return wordAt(plan.groupOf + image * 4);
}

function objectOfImage(plan: FeedPlan, entry: usize): u32 {
  return objectOf(layoutAt(plan.layouts, wordOf(entry, IMAGE_LAYOUT)));
}

function versionOf(entry: usize): usize {
  return entry + IMAGE_EPOCH * 4;
}

function idOf(plan: FeedPlan, entry: usize): usize {
  return plan.items + wordOf(entry, IMAGE_ID_AT);
}

function wordOf(entry: usize, word: usize): u32 {
  return wordAt(entry + word * 4);
}
