import type { Core } from '../../core/core.ts';
import { decodeEnvelope, encodeEnvelope } from '../envelope.ts';
import type { EntryResult } from '../../protocol/messages.ts';
import { parseUploadAnswer } from '../../protocol/parse.ts';
import { parseLayouts } from '../../protocol/wire-layout.ts';
import { PROTOCOL_VERSION } from '../../protocol/version.ts';
import { SyncFault } from '../../shared/fault.ts';
import { createImageList, type ImageList } from '../image-list.ts';
import type { RecordKey } from '../store/server-store.ts';
import type { ReaderImage } from '../visibility.ts';
import type { EntryRefusal } from './refusal.ts';

/** Fields of a member that were written over values which nobody had seen, with the record as it was (rule A22). */
export interface SettledOverwrite {
  readonly member: number;
  readonly fields: readonly string[];
  readonly was: ReaderImage;
}

/** The records of an entry: those of its members, in order, then the headers it names. Whoever asks by the number alone is shown them. */
type EntryRecords = readonly RecordKey[];

/** What was decided on an entry, for good. */
export type Decision =
  | { readonly outcome: 'saved'; readonly committed: readonly ReaderImage[]; readonly overwritten: readonly SettledOverwrite[] }
  | { readonly outcome: 'partlySaved'; readonly committed: readonly ReaderImage[]; readonly refusal: EntryRefusal; readonly records: EntryRecords }
  | { readonly outcome: 'refused'; readonly refusal: EntryRefusal; readonly records: EntryRecords }
  | { readonly outcome: 'discarded' | 'needsDuplicate'; readonly header: number; readonly group: RecordKey; readonly records: EntryRecords }
  | { readonly outcome: 'voided' };

/** The records that a decision keeps beside its images. */
export function recordsOf(decision: Decision): readonly RecordKey[] {
  return 'records' in decision ? decision.records : [];
}

/** What a receipt holds beside an answer. The records have kept their first name. */
interface ReceiptExtras {
  readonly members?: readonly (readonly [object: string, id: string])[];
  readonly group?: readonly [object: string, id: string];
}

/** Writes a decision as it is kept: an upload's answer with one result, so that one parser reads both. */
export function encodeDecision(number: number, decision: Decision): Uint8Array {
  const images = createImageList();
  const server = { time: 0, epoch: 0, head: 0, nextPollMs: null, schema: '' };
  const extras: ReceiptExtras = {
    ...('records' in decision && { members: decision.records.map(({ object, id }) => [object, id] as const) }),
    ...('group' in decision && { group: [decision.group.object, decision.group.id] as const }),
  };
  const results = [writeDecision(number, decision, images)];
  return encodeEnvelope({ protocol: PROTOCOL_VERSION, store: '', attempt: '', server, results, ...images.take(), ...extras });
}

function writeDecision(number: number, decision: Decision, images: ImageList): EntryResult {
  const add = (image: ReaderImage): number => images.add(image);
  switch (decision.outcome) {
    case 'saved': {
      const overwritten = decision.overwritten.map(({ member, fields, was }) => ({ member, fields, was: add(was) }));
      return { number, outcome: 'saved', committed: decision.committed.map(add), current: [], overwritten };
    }
    case 'partlySaved':
      return { number, outcome: 'partlySaved', refusal: { ...decision.refusal, online: null }, committed: decision.committed.map(add), current: [] };
    case 'refused': return { number, outcome: 'refused', refusal: { ...decision.refusal, online: null }, current: [] };
    case 'discarded':
    case 'needsDuplicate': return { number, outcome: decision.outcome, header: decision.header, current: [] };
    case 'voided': return { number, outcome: 'voided' };
  }
}

/** Reads a decision back. @throws SyncFault `STORAGE_CORRUPT` */
export function decodeDecision(core: Core, bytes: Uint8Array): Decision {
  const envelope = decodeEnvelope(bytes);
  const answer = parseUploadAnswer(withEveryKey(envelope as KeptAnswer));
  const layouts = parseLayouts(answer.layouts);
  const table = core.readImages(answer.items, layouts);
  const result = answer.results[0];
  if (!table.ok || result === undefined) throw corrupt();
  const read = (index: number): ReaderImage => {
    const layout = layouts[table.layout(index)]!;
    return { object: layout.object, id: table.id(index), version: table.version(index), state: table.state(index), layout, row: table.row(index) };
  };
  const { members = [], group: header } = envelope as ReceiptExtras;
  const records = members.map(toKey);
  switch (result.outcome) {
    case 'saved': {
      const overwritten = result.overwritten.map(({ member, fields, was }) => ({ member, fields, was: read(was) }));
      return { outcome: 'saved', committed: result.committed.map(read), overwritten };
    }
    case 'partlySaved': return { outcome: 'partlySaved', committed: result.committed.map(read), refusal: result.refusal, records };
    case 'refused': return { outcome: 'refused', refusal: result.refusal, records };
    case 'discarded':
    case 'needsDuplicate':
      if (header === undefined) throw corrupt();
      return { outcome: result.outcome, header: result.header, group: toKey(header), records };
    case 'voided': return { outcome: 'voided' };
    default: throw corrupt();
  }
}

/** What a receipt is of: an answer, maybe of the first version, whose saves told of nothing overwritten. */
interface KeptAnswer {
  readonly results: readonly object[];
}

function withEveryKey(kept: KeptAnswer): KeptAnswer {
  return { ...kept, results: kept.results.map((result) => ({ overwritten: [], ...result })) };
}

function toKey([object, id]: readonly [string, string]): RecordKey {
  return { object, id };
}

function corrupt(): SyncFault {
  return new SyncFault('STORAGE_CORRUPT', 'a stored receipt cannot be read');
}
