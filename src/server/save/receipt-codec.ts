import type { Core } from '../../core/core.ts';
import { decodeEnvelope, encodeEnvelope } from '../envelope.ts';
import type { Layout } from '../../protocol/layout.ts';
import type { EntryResult } from '../../protocol/messages.ts';
import { parseLayouts, parseUploadAnswer } from '../../protocol/parse.ts';
import { PROTOCOL_VERSION } from '../../protocol/version.ts';
import { SyncFault } from '../../shared/fault.ts';
import { createImageList, type ImageList } from '../image-list.ts';
import type { RecordKey } from '../store/server-store.ts';
import type { ReaderImage } from '../visibility.ts';
import type { EntryRefusal } from './refusal.ts';

/** An image with the layout of its row: one from a receipt may be older than the schema. */
export interface SettledImage {
  readonly image: ReaderImage;
  readonly layout: Layout;
}

/** What was decided on an entry, for good. */
export type Decision =
  | { readonly outcome: 'saved'; readonly committed: readonly SettledImage[] }
  /** With the records of all members, in order: whoever asks by the number alone is shown them as they are. */
  | { readonly outcome: 'refused'; readonly refusal: EntryRefusal; readonly members: readonly RecordKey[] }
  | { readonly outcome: 'voided' };

/** Writes a decision as it is kept: an upload's answer with one result, so that one parser reads both. */
export function encodeDecision(number: number, decision: Decision): Uint8Array {
  const images = createImageList();
  const server = { time: 0, epoch: 0, head: 0, nextPollMs: null, schema: '' };
  const members = decision.outcome === 'refused' ? { members: decision.members.map(({ object, id }) => [object, id]) } : {};
  const results = [writeDecision(number, decision, images)];
  return encodeEnvelope({ protocol: PROTOCOL_VERSION, store: '', attempt: '', server, results, ...images.take(), ...members });
}

function writeDecision(number: number, decision: Decision, images: ImageList): EntryResult {
  switch (decision.outcome) {
    case 'saved': return { number, outcome: 'saved', committed: decision.committed.map(({ image, layout }) => images.add(image, layout)), current: [], overwritten: [] };
    case 'refused': return { number, outcome: 'refused', refusal: { ...decision.refusal, online: null }, current: [] };
    case 'voided': return { number, outcome: 'voided' };
  }
}

/** Reads a decision back. @throws SyncFault `STORAGE_CORRUPT` */
export function decodeDecision(core: Core, bytes: Uint8Array): Decision {
  const envelope = decodeEnvelope(bytes);
  const answer = parseUploadAnswer(envelope);
  const layouts = parseLayouts(answer.layouts);
  const table = core.readImages(answer.items, layouts);
  const result = answer.results[0];
  if (!table.ok || result === undefined) throw corrupt();
  if (result.outcome === 'refused') return { outcome: 'refused', refusal: result.refusal, members: readMembers(envelope) };
  if (result.outcome === 'voided') return { outcome: 'voided' };
  if (result.outcome !== 'saved') throw corrupt();
  const committed = result.committed.map((index) => {
    const layout = layouts[table.layout(index)]!;
    const image = { object: layout.object, id: table.id(index), version: table.version(index), state: table.state(index), row: table.row(index) };
    return { image, layout };
  });
  return { outcome: 'saved', committed };
}

/** Receipts of the first version have no members. */
function readMembers(envelope: unknown): RecordKey[] {
  const { members = [] } = envelope as { readonly members?: readonly (readonly [string, string])[] };
  return members.map(([object, id]) => ({ object, id }));
}

function corrupt(): SyncFault {
  return new SyncFault('STORAGE_CORRUPT', 'a stored receipt cannot be read');
}
