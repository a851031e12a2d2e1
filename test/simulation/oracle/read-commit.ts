import { countOf, idAt, valueAt } from '../../../src/core/row-block.ts';
import { decodeEnvelope } from '../../../src/protocol/envelope.ts';
import type { Layout } from '../../../src/protocol/layout.ts';
import type { Notice } from '../../../src/client/answers/notices.ts';
import type { EntryOutcome } from '../../../src/client/queue/outcomes.ts';
import { keysOf, type QueueEntry } from '../../../src/client/queue/queue-entry.ts';
import { keyOf } from '../../../src/client/store/record-key.ts';
import type { HeldImage } from '../../../src/client/store/rows.ts';
import { decodeEntry, decodeImage, decodeLayout, decodeMeta, STATE, type Meta } from '../../../src/client/store/stored.ts';
import { decodeParked, type ParkedGroup } from '../../../src/client/store/parked.ts';
import type { Commit } from '../../../src/storage/storage-adapter.ts';

/** A content that went into the journal. */
export interface JournalRow {
  readonly seq: number;
  readonly reason: string;
  readonly entry: QueueEntry;
}

/** What one commit of a device changes, decoded. */
export interface Changes {
  readonly bases: Map<string, HeldImage | null>;
  readonly sides: Map<string, HeldImage | null>;
  /** Groups of which something is kept aside, by name; `null` for those of which nothing is any more. */
  readonly parked: Map<string, ParkedGroup | null>;
  readonly entries: Map<number, QueueEntry | null>;
  readonly journal: JournalRow[];
  /** How entries ended; the number of the copy that has their content, where one has. */
  readonly outcomes: Map<number, EntryOutcome | number>;
  /** Notices raised or acknowledged; `null` for those that are gone. */
  readonly notices: Map<number, Notice | null>;
  readonly meta: Meta | null;
}

/** Decodes a commit; layouts that it brings are added to those known. */
export function readCommit({ putPacked = [], putRecords = [], removeRecords = [], putState = [], removeState = [] }: Commit, layouts: Map<string, Layout>): Changes {
  const changes: Changes & { meta: Meta | null } = { bases: new Map(), sides: new Map(), parked: new Map(), entries: new Map(), journal: [], outcomes: new Map(), notices: new Map(), meta: null };
  const layoutOf = (hash: string): Layout => layouts.get(hash)!;
  for (const { key, bytes } of putState) {
    if (!key.startsWith(STATE.layout)) continue;
    const layout = decodeLayout(bytes);
    layouts.set(layout.hash, layout);
  }
  for (const { object, id } of removeRecords) changes.bases.set(keyOf(object, id), null);
  for (const { key, bytes } of putState) {
    if (key.startsWith(STATE.gone)) changes.bases.set(key.slice(STATE.gone.length), decodeImage(bytes, layoutOf));
    else if (key.startsWith(STATE.side)) changes.sides.set(key.slice(STATE.side.length), decodeImage(bytes, layoutOf));
    else if (key.startsWith(STATE.parked)) changes.parked.set(key.slice(STATE.parked.length), decodeParked(bytes));
    else if (key.startsWith(STATE.queue)) changes.entries.set(Number(key.slice(STATE.queue.length)), decodeEntry(bytes, layoutOf));
    else if (key.startsWith(STATE.journal)) changes.journal.push(readJournalRow(key, bytes, layoutOf));
    else if (key.startsWith(STATE.outcome)) changes.outcomes.set(Number(key.slice(STATE.outcome.length)), (decodeEnvelope(bytes) as { readonly outcome: EntryOutcome | number }).outcome);
    else if (key.startsWith(STATE.notice)) changes.notices.set(Number(key.slice(STATE.notice.length)), decodeEnvelope(bytes) as Notice);
    else if (key === STATE.meta) changes.meta = decodeMeta(bytes);
  }
  for (const { object, block } of putPacked) {
    for (let row = 0; row < countOf(block); row++) changes.bases.set(keyOf(object, idAt(block, row)), decodeImage(valueAt(block, row), layoutOf));
  }
  for (const { object, id, bytes } of putRecords) changes.bases.set(keyOf(object, id), decodeImage(bytes, layoutOf));
  for (const key of removeState) {
    if (key.startsWith(STATE.side)) changes.sides.set(key.slice(STATE.side.length), null);
    else if (key.startsWith(STATE.parked)) changes.parked.set(key.slice(STATE.parked.length), null);
    else if (key.startsWith(STATE.queue)) changes.entries.set(Number(key.slice(STATE.queue.length)), null);
    else if (key.startsWith(STATE.notice)) changes.notices.set(Number(key.slice(STATE.notice.length)), null);
  }
  return changes;
}

function readJournalRow(key: string, bytes: Uint8Array, layoutOf: (hash: string) => Layout): JournalRow {
  const { entry, reason = 'undone' } = decodeEnvelope(bytes) as { readonly entry: Uint8Array; readonly reason?: string };
  return { seq: Number(key.slice(STATE.journal.length).split('/')[0]), reason, entry: decodeEntry(entry, layoutOf) };
}

/** The records that a commit touches, those of entries that leave included. */
export function keysTouched({ bases, sides, entries }: Changes, keysHeld: (seq: number) => readonly string[]): Set<string> {
  const keys = new Set([...bases.keys(), ...sides.keys()]);
  for (const [seq, entry] of entries) {
    for (const key of keysHeld(seq)) keys.add(key);
    if (entry !== null) for (const key of keysOf(entry)) keys.add(key);
  }
  return keys;
}
