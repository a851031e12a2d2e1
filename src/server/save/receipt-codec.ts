import type { Core } from '../../core/core.ts';
import { decodeEnvelope, encodeEnvelope } from '../envelope.ts';
import type { Layout } from '../../protocol/layout.ts';
import type { EntryResult } from '../../protocol/messages.ts';
import { parseLayouts, parseUploadAnswer } from '../../protocol/parse.ts';
import { PROTOCOL_VERSION } from '../../protocol/version.ts';
import { SyncFault } from '../../shared/fault.ts';
import { createImageList } from '../image-list.ts';
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
  | { readonly outcome: 'refused'; readonly refusal: EntryRefusal };

/** Writes a decision as it is kept: an upload's answer with one result, so that one parser reads both. */
export function encodeDecision(number: number, decision: Decision): Uint8Array {
  const images = createImageList();
  const result: EntryResult =
    decision.outcome === 'saved'
      ? { number, outcome: 'saved', committed: decision.committed.map(({ image, layout }) => images.add(image, layout)), current: [], overwritten: [] }
      : { number, outcome: 'refused', refusal: { ...decision.refusal, online: null }, current: [] };
  const server = { time: 0, epoch: 0, head: 0, nextPollMs: null, schema: '' };
  return encodeEnvelope({ protocol: PROTOCOL_VERSION, store: '', attempt: '', server, results: [result], ...images.take() });
}

/** Reads a decision back. @throws SyncFault `STORAGE_CORRUPT` */
export function decodeDecision(core: Core, bytes: Uint8Array): Decision {
  const answer = parseUploadAnswer(decodeEnvelope(bytes));
  const layouts = parseLayouts(answer.layouts);
  const table = core.readImages(answer.items, layouts);
  const result = answer.results[0];
  if (!table.ok || result === undefined) throw corrupt();
  if (result.outcome === 'refused') return { outcome: 'refused', refusal: result.refusal };
  if (result.outcome !== 'saved') throw corrupt();
  const committed = result.committed.map((index) => {
    const layout = layouts[table.layout(index)]!;
    const image = { object: layout.object, id: table.id(index), version: table.version(index), state: table.state(index), row: table.row(index) };
    return { image, layout };
  });
  return { outcome: 'saved', committed };
}

function corrupt(): SyncFault {
  return new SyncFault('STORAGE_CORRUPT', 'a stored receipt cannot be read');
}
