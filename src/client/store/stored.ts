import { ByteReader } from '../../protocol/byte-reader.ts';
import { writtenToPass } from '../../protocol/byte-writer.ts';
import { decodeEnvelope, encodeEnvelope } from '../../protocol/envelope.ts';
import type { Layout } from '../../protocol/layout.ts';
import { parseLayouts, wireLayout } from '../../protocol/wire-layout.ts';
import type { FeedCursor, SnapshotKey, WireLayout } from '../../protocol/messages.ts';
import { NO_VALUE } from '../../protocol/row.ts';
import type { RecordVersion } from '../../protocol/version.ts';
import { SyncFault } from '../../shared/fault.ts';
import type { QueueEntry, StoredRefusal } from '../queue/queue-entry.ts';
import type { HeldImage, Member } from './rows.ts';

/** How the client's rows look in storage. Every row names its layout, so a schema can change under stored rows and queued entries. */

/** Keys and prefixes of state rows. */
export const STATE = {
  meta: 'meta',
  fence: 'fence',
  layout: 'layout/',
  queue: 'queue/',
  side: 'side/',
  parked: 'parked/',
  gone: 'gone/',
  outside: 'outside/',
  recordId: 'record-id/',
  stage: 'stage/',
  decided: 'decided',
  part: 'part/',
  fresh: 'fresh/',
  journal: 'journal/',
  draft: 'draft/',
  outcome: 'outcome/',
  notice: 'notice/',
} as const;

/** The format of stored state; an entry of an older one is migrated, never dropped (rule A17). */
export const STORED_FORMAT = 2;

/** A download under way: its pages lie in `stage/` rows, and once it is being applied what was decided of it in the `decided` row. */
export interface StagedDownload {
  readonly startedAt: number;
  readonly pages: number;
  readonly records: number;
  readonly bytes: number;
  readonly cursor: FeedCursor;
  readonly schema: string;
  /** Server time of the last staged page. */
  readonly serverTime: number;
  readonly next: SnapshotKey | null;
  /** Objects of which pages have come. What an earlier build staged has none, and is downloaded anew. */
  readonly objects: readonly string[];
  /** Set once the pages are being applied: how many of them are, and how many records have left. */
  readonly applying: { readonly place: number; readonly removed: number } | null;
}

/** A transaction that comes in parts: those that are here lie in `part/` rows. */
export interface StagedParts {
  readonly revision: string;
  /** The last part that is here. */
  readonly place: number;
  /** The key to ask for the next part with; `null` once all are here. */
  readonly next: SnapshotKey | null;
  /** How often the records changed before all parts were here. */
  readonly restarts: number;
  /** Where the feed goes on after the transaction. */
  readonly cursor: FeedCursor;
  /**
   * Set once the parts are being applied: the groups that are kept aside, by header, what is in their way, and the header that names those
   * that stay together because records move between them.
   */
  readonly applying: readonly (readonly [header: string, flags: number, name: string])[] | null;
}

/** What the client remembers of itself. */
export interface Meta {
  readonly format: number;
  /** This store's own random identity, never a device's (design: identity). */
  readonly store: string;
  readonly nextSeq: number;
  readonly nextNumber: number;
  /** Names the next row of the journal, or the next notice. */
  readonly nextNote: number;
  /** Entries up to here may have ended so long ago that nobody knows how. */
  readonly forgottenUpTo: number;
  readonly cursor: FeedCursor | null;
  /** Feed entries may be missing since the last download (rule A31). */
  readonly hasFeedGap: boolean;
  /** Server time of the last applied download. */
  readonly lastDownloadAt: number | null;
  readonly download: StagedDownload | null;
  readonly part: StagedParts | null;
}

/** Ordered keys: numbers written so that they sort. */
export function orderedKey(prefix: string, place: number): string {
  return prefix + String(place).padStart(12, '0');
}

/** Finds a stored layout by its hash. */
export type LayoutLookup = (hash: string) => Layout;

export function encodeMeta(meta: Meta): Uint8Array {
  return writtenToPass((writer) => writer.anything(meta));
}

export function decodeMeta(bytes: Uint8Array): Meta {
  const meta = decodeEnvelope(bytes) as Meta;
  if (meta.format > STORED_FORMAT) {
    throw new SyncFault('STORAGE_CORRUPT', `the store has format ${meta.format}, this build reads up to ${STORED_FORMAT}`);
  }
  // Stores of old had none of these.
  return { ...meta, format: STORED_FORMAT, nextNote: meta.nextNote ?? 1, forgottenUpTo: meta.forgottenUpTo ?? 0, part: meta.part ?? null };
}

export function encodeLayout(layout: Layout): Uint8Array {
  return encodeEnvelope(wireLayout(layout) as object);
}

export function decodeLayout(bytes: Uint8Array): Layout {
  return parseLayouts([decodeEnvelope(bytes) as WireLayout])[0]!;
}

/** `[layout hash, epoch, n, state, row]` */
export function encodeImage(image: HeldImage): Uint8Array {
  return writtenToPass((writer) => {
    writer.array(5);
    writer.text(image.layout.hash);
    writer.integer(image.version[0]);
    writer.integer(image.version[1]);
    writer.text(image.state);
    writer.raw(image.row ?? NO_VALUE);
  });
}

export function decodeImage(bytes: Uint8Array, layoutOf: LayoutLookup): HeldImage {
  const reader = new ByteReader(bytes);
  reader.array();
  const layout = layoutOf(reader.value() as string);
  const version: RecordVersion = [reader.value() as number, reader.value() as number];
  const state = reader.value() as HeldImage['state'];
  return { layout, version, state, row: state === 'live' ? reader.slice() : null };
}

interface StoredMember extends Omit<Member, 'layout'> {
  readonly layout: string;
}

interface StoredEntry extends Omit<QueueEntry, 'members' | 'refusal'> {
  readonly format: number;
  readonly members: readonly StoredMember[];
  readonly refusal: (Omit<StoredRefusal, 'online'> & { readonly online: Uint8Array | null }) | null;
}

export function encodeEntry(entry: QueueEntry): Uint8Array {
  const { seq, state, number, savedAt, members, headers, duplicateOf, deferrals, deferredSince, refusal, copied, absorbed } = entry;
  const stored: AllOf<StoredEntry> = {
    seq, state, number, savedAt, members: members.map(storedMember), headers, duplicateOf, deferrals, deferredSince, copied, absorbed,
    format: STORED_FORMAT,
    refusal: refusal === null ? null : { ...refusal, online: refusal.online === null ? null : encodeImage(refusal.online) },
  };
  return writtenToPass((writer) => writer.anything(stored));
}

/** Written out, name by name: to spread an object costs more than to encode it. Nothing may be forgotten; what is `undefined` is left out. */
type AllOf<T> = { readonly [Name in keyof Required<T>]: T[Name] | undefined };

function storedMember({ object, id, op, layout, base, mask, previous, next }: Member): StoredMember {
  return { object, id, op, layout: layout.hash, base, mask, previous, next };
}

export function decodeEntry(bytes: Uint8Array, layoutOf: LayoutLookup): QueueEntry {
  const { format, ...stored } = decodeEnvelope(bytes) as StoredEntry;
  return {
    ...stored,
    // Format 1 knew no groups: its entries name no headers, and a server finds those of what it stores.
    ...(format < 2 && { headers: [], duplicateOf: null }),
    members: stored.members.map((member) => ({
      ...member,
      layout: layoutOf(member.layout),
      mask: plainBytes(member.mask),
      previous: plainBytes(member.previous),
      next: plainBytes(member.next),
    })),
    ...(stored.absorbed && { absorbed: { mask: plainBytes(stored.absorbed.mask)!, next: plainBytes(stored.absorbed.next)! } }),
    refusal: stored.refusal === null ? null : { ...stored.refusal, online: stored.refusal.online === null ? null : decodeImage(plainBytes(stored.refusal.online)!, layoutOf) },
  };
}

// The unpacker hands out views (Buffers on Node) of the bytes it read; entries live long, so they get bytes of their own.
function plainBytes(bytes: Uint8Array | null): Uint8Array | null {
  return bytes === null ? null : Uint8Array.from(bytes);
}
