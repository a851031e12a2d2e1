import { decodeEnvelope, encodeEnvelope } from '../../protocol/envelope.ts';
import type { SnapshotAnswer, WireLayout } from '../../protocol/messages.ts';
import { compareTexts } from '../../protocol/value.ts';
import type { StateRow } from '../../storage/storage-adapter.ts';
import type { LocalStore } from '../store/local-store.ts';
import { splitKey, type Key } from '../store/record-key.ts';
import { orderedKey, STATE, type StagedDownload } from '../store/stored.ts';
import { badAnswer } from './server-link.ts';

/** Ids of one object, in the order of their UTF-8 bytes: that of the server. */
export interface IdRange {
  readonly object: string;
  /** The range begins behind it; `null`: with the object's first record. */
  readonly after: string | null;
  /** The last id of the range; `null`: it ends with the object's last record. */
  readonly upTo: string | null;
}

/** A page of a download as it waits to be applied. */
export interface StagedPage {
  readonly layouts: readonly WireLayout[];
  readonly items: Uint8Array;
  /** What is out of scope of it: a download has nothing of that, a record that was asked for by itself may have (rule A32). */
  readonly outside: readonly number[];
  /** Server time at which it came. */
  readonly time: number;
  /** What it tells all of: a record in there that it does not have is gone. None for what was asked for by itself. */
  readonly ranges: readonly IdRange[];
}

/** The state row of a staged page. @param place - counts the pages of a download from 0 */
export function stagedRow(place: number, { layouts, items, outside, time, ranges }: StagedPage): StateRow {
  return { key: orderedKey(STATE.stage, place), bytes: encodeEnvelope({ layouts, items, outside, time, ranges } satisfies StagedPage) };
}

/** Reads a staged page; `null` when there is none at that place. */
export async function readStaged(store: Pick<LocalStore, 'readState'>, place: number): Promise<StagedPage | null> {
  const bytes = await store.readState(orderedKey(STATE.stage, place));
  if (bytes === null) return null;
  const { items, ...page } = decodeEnvelope(bytes) as StagedPage;
  return { ...page, items: new Uint8Array(items.buffer, items.byteOffset, items.byteLength) };
}

/** What a page tells all of, and the objects of which pages have come with it. */
export interface Covered {
  readonly ranges: readonly IdRange[];
  readonly objects: readonly string[];
}

/**
 * Finds what a page of a download covers. Never trust the other side: its records must follow one another and what came before, or one that is
 * there would be taken for removed, and a hostile or broken server could keep a device downloading for ever.
 *
 * @param keys - the records of the page
 * @throws {@link SyncFault} `TRANSPORT_BAD_ANSWER`
 */
export function coveredBy({ next, cursor, server }: Pick<SnapshotAnswer, 'next' | 'cursor' | 'server'>, keys: readonly Key[], before: Pick<StagedDownload, 'next' | 'objects'> | null): Covered {
  if (cursor.position > server.head) throw badAnswer('its cursor lies beyond the feed');
  if (next !== null && keys.length === 0) throw badAnswer('a page that is not the last holds no record');
  const seen = new Set(before?.objects);
  const ranges: { object: string; after: string | null; upTo: string | null }[] = [];
  let at = before?.next ?? null;
  if (at !== null) ranges.push({ object: at.object, after: at.id, upTo: null });
  for (const key of [...keys.map(splitKey), ...(next === null ? [] : [next])]) {
    const isSame = at !== null && at.object === key.object;
    const order = isSame ? compareTexts(key.id, at!.id) : 1;
    // The last key of a page is that of its last record, or lies behind it.
    if (order < 0 || (order === 0 && key !== next) || (!isSame && seen.has(key.object))) throw badAnswer('its pages do not go forward');
    if (!isSame) ranges.push({ object: key.object, after: null, upTo: null });
    seen.add(key.object);
    at = key;
  }
  if (next !== null) ranges.at(-1)!.upTo = next.id;
  return { ranges, objects: [...seen] };
}

/** How the rows of a range lie in storage, which orders by UTF-16 code units: as in the server's order but for ids that differ behind a surrogate or above. */
export interface StoredRange {
  /** Both orders are the same there: the rows behind `after` and up to the range's last id are those of the range. */
  readonly isExact: boolean;
  /** Where to begin reading; `undefined`: with the object's first row. */
  readonly after: string | undefined;
  /** Whether no row from this id on is of the range. */
  isPast(id: string): boolean;
  /** Whether a row that was read is of the range. */
  has(id: string): boolean;
}

/** Finds the rows of a range in storage: at most those behind the part of its ends in which both orders are the same. */
export function storedRange({ after, upTo }: IdRange): StoredRange {
  const last = upTo === null ? '' : alikePart(upTo);
  return {
    isExact: (after === null || alikePart(after) === after) && (upTo === null || last === upTo),
    after: after === null ? undefined : alikePart(after) || undefined,
    isPast: (id) => upTo !== null && id > upTo && (last === upTo || !id.startsWith(last)),
    has: (id) => (after === null || compareTexts(id, after) > 0) && (upTo === null || compareTexts(id, upTo) <= 0),
  };
}

function alikePart(id: string): string {
  const end = id.search(/[\ud800-\uffff]/);
  return end < 0 ? id : id.slice(0, end);
}
