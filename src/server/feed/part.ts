import type { FeedPart, SnapshotKey } from '../../protocol/messages.ts';
import { hashBytes, utf8 } from '../../shared/bytes.ts';
import { SyncFault } from '../../shared/fault.ts';
import { compareKeys, type FeedRow, type RecordKey } from '../store/server-store.ts';
import type { SyncRequest } from '../sync-request.ts';
import type { ChosenPage, PageRoom } from './choose-page.ts';
import type { Glimpse, Surroundings } from './surroundings.ts';

/** Which part of a large save a device asks for. */
export interface PartQuery {
  /** The revision that the parts before were of. */
  readonly revision: string;
  /** The last key that it has. */
  readonly after: SnapshotKey;
}

const REVISION = /^[0-9a-f]{1,32}-\d{1,9}$/;
const MOST_KEY = 255;

/** Reads from a query which part of a large save is asked for; `null` when none is. @throws SyncFault `PROTOCOL_MALFORMED` */
export function readPart({ query }: SyncRequest): PartQuery | null {
  const { revision, object = '', id = '' } = query;
  if (revision === undefined) return null;
  const isKey = [object, id].every((name) => name.length > 0 && name.length <= MOST_KEY);
  if (!REVISION.test(revision) || !isKey) throw new SyncFault('PROTOCOL_MALFORMED', 'the part is none of ours');
  return { revision, after: { object, id } };
}

/** A save that is more than a page, as it was when its first part was sent, cut into parts. */
export interface LargeSave {
  /** The save, and those after it that are sent along. */
  readonly rows: readonly FeedRow[];
  /** The newest position of the feed when it was looked at: what its parts show is of that moment. */
  readonly head: number;
  /** Their records with all that is around them, in key order. */
  readonly items: readonly Glimpse[];
  readonly leaderOf: (glimpse: Glimpse) => RecordKey | null;
  readonly revision: string;
  /** Where each part begins. */
  readonly starts: readonly number[];
}

/** What goes into one part. */
export interface ChosenPart {
  readonly items: readonly Glimpse[];
  readonly part: FeedPart;
}

/** Cuts a save that is more than a page into parts (rules A29, A35): in key order, as many records in each as a page holds. */
export function cutLargeSave({ rows, items }: ChosenPage, around: Pick<Surroundings, 'leaderOf'>, room: PageRoom, head: number): LargeSave {
  const sorted = [...items.values()].sort(compareKeys);
  const leaders = new Map(sorted.map((glimpse) => [glimpse, around.leaderOf(glimpse)]));
  return { rows, head, items: sorted, leaderOf: (glimpse) => leaders.get(glimpse) ?? null, revision: revisionOf(rows, sorted, room), starts: cutParts(sorted, room) };
}

/**
 * Takes one part. What was asked for is found by the revision: when any of the records has changed since, or is cut in another way, the
 * answer is the first part of what they are now.
 */
export function choosePart({ items, revision, starts }: LargeSave, asked: PartQuery | null): ChosenPart {
  const found = asked?.revision === revision ? starts.findIndex((start) => start > 0 && compareKeys(items[start - 1]!, asked.after) === 0) : 0;
  const place = Math.max(0, found);
  const end = starts[place + 1] ?? items.length;
  const last = items[end - 1];
  const next = end === items.length || last === undefined ? null : { object: last.object, id: last.id };
  return { items: items.slice(starts[place], end), part: { revision, place, next } };
}

/** Names the state of all records, and where they are cut: other limits make other parts. */
function revisionOf(rows: readonly FeedRow[], sorted: readonly Glimpse[], { limit, bodyBytes }: PageRoom): string {
  const lines = sorted.map(({ object, id, version: [epoch, n], state }) => `${object}\0${id}\0${epoch}.${n}.${state}`);
  const saves = `${rows[0]!.position}.${rows.length}`;
  return `${hashBytes(utf8([`${saves}.${limit}.${bodyBytes}`, ...lines].join('\0\0')))}-${sorted.length}`;
}

/** Where each part begins: the first record is always taken, however large it is. */
function cutParts(sorted: readonly Glimpse[], { limit, bodyBytes }: PageRoom): number[] {
  const starts = [0];
  let bytes = 0;
  for (const [index, { byteLength }] of sorted.entries()) {
    const count = index - starts.at(-1)!;
    if (count > 0 && (count === limit || bytes + byteLength > bodyBytes)) {
      starts.push(index);
      bytes = 0;
    }
    bytes += byteLength;
  }
  return starts;
}
