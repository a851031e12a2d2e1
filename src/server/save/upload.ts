import { decodeEnvelope } from '../envelope.ts';
import type { EntryResult, Refusal, UploadRequest } from '../../protocol/messages.ts';
import { parseUploadRequest } from '../../protocol/parse.ts';
import { parseLayouts } from '../../protocol/wire-layout.ts';
import { SyncFault } from '../../shared/fault.ts';
import { createImageList, type ImageList } from '../image-list.ts';
import type { Principal } from '../principal.ts';
import type { ServerParts } from '../server-parts.ts';
import { keyText, type RecordKey } from '../store/server-store.ts';
import type { ReaderImage } from '../visibility.ts';
import type { EntrySpan } from './read-entry.ts';
import { settleEntry, spanMembers } from './settle-entry.ts';
import type { Settled } from './settled.ts';

/** An upload that was read and checked as a whole. */
export interface ReadUpload {
  readonly request: UploadRequest;
  /** The changes of each entry. */
  readonly spans: readonly EntrySpan[];
}

/**
 * Reads an upload from bytes that nobody has looked at yet.
 *
 * @throws SyncFault `PROTOCOL_MALFORMED`, `PROTOCOL_TOO_LARGE`, `PROTOCOL_VERSION_UNSUPPORTED`; nothing was changed.
 */
export function readUpload({ core, limits }: Pick<ServerParts, 'core' | 'limits'>, body: Uint8Array): ReadUpload {
  if (body.length > limits.bodyBytes) throw new SyncFault('PROTOCOL_TOO_LARGE', `a message may have ${limits.bodyBytes} bytes`);
  const scan = core.scanMessage(body);
  if (!scan.ok) throw malformed(`the message is not acceptable (${scan.status} at byte ${scan.offset})`);
  const request = parseUploadRequest(decodeEnvelope(body));
  if (request.entries.length > limits.entries) throw new SyncFault('PROTOCOL_TOO_LARGE', `an upload may have ${limits.entries} entries`);
  const layouts = parseLayouts(request.layouts);
  const table = core.readChanges(request.items, layouts);
  if (!table.ok) throw malformed(`the changes are not acceptable (${table.status} at byte ${table.offset})`);
  const spans: EntrySpan[] = [];
  let start = 0;
  for (const { members } of request.entries) {
    spans.push({ table, layouts, start, count: members });
    start += members;
  }
  if (start !== table.count) throw malformed(`the entries name ${start} changes, the message has ${table.count}`);
  return { request, spans };
}

/** A device waits for an answer, 30 seconds by default. An answer in time brings on what was decided; slow hooks must not use up all of it. */
const MOST_MS = 15_000;

/** The answer has limits too. What is beyond them was not looked at, and comes again at once. */
function notBegun(message: string): Settled {
  return { outcome: 'tryLater', retryAfterMs: 0, message };
}

/** Settles the entries of an upload in order, each in a transaction of its own. */
export async function settleUpload(parts: ServerParts, principal: Principal, { request, spans }: ReadUpload): Promise<{ readonly results: EntryResult[]; readonly images: ImageList }> {
  const images = createImageList();
  const results: EntryResult[] = [];
  const began = parts.clock.monotonic();
  for (const [index, entry] of request.entries.entries()) {
    const settled: Settled =
      images.byteLength() > parts.limits.bodyBytes
        ? notBegun('the answer is full')
        : parts.clock.monotonic() - began > MOST_MS
        ? notBegun('the request took too long')
        : await settleEntry(parts, { principal, store: request.store, entry, span: spans[index]! });
    results.push(writeResult(entry.number, settled, images, spanMembers(spans[index]!)));
  }
  return { results, images };
}

/** Writes a result, and adds its images; `records` are those of the entry's members, in order. */
export function writeResult(number: number, settled: Settled, images: ImageList, records: readonly RecordKey[]): EntryResult {
  const addAll = (shown: readonly ReaderImage[]): number[] => shown.map((image) => images.add(image));
  const showRefusal = ({ refusal, current }: Settled & { readonly outcome: 'refused' | 'partlySaved' }, added: readonly number[]): Refusal => {
    const concerned = records[refusal.member];
    const shown = current.findIndex((image) => concerned !== undefined && keyText(image) === keyText(concerned));
    return { ...refusal, online: shown < 0 ? null : added[shown]! };
  };
  switch (settled.outcome) {
    case 'saved': {
      const overwritten = settled.overwritten.map(({ member, fields, was }) => ({ member, fields, was: images.add(was) }));
      return { number, outcome: 'saved', ...addBoth(settled, addAll), overwritten };
    }
    case 'partlySaved': {
      const both = addBoth(settled, addAll);
      return { number, outcome: 'partlySaved', refusal: showRefusal(settled, both.current), ...both };
    }
    case 'refused': {
      const current = addAll(settled.current);
      return { number, outcome: 'refused', refusal: showRefusal(settled, current), current };
    }
    case 'discarded':
    case 'needsDuplicate':
      return { number, outcome: settled.outcome, header: settled.header, current: addAll(settled.current) };
    default:
      return { number, ...settled };
  }
}

/** On a first answer both are the same images, sent once. */
function addBoth({ committed, current }: Settled & { readonly outcome: 'saved' | 'partlySaved' }, addAll: (images: readonly ReaderImage[]) => number[]): { readonly committed: number[]; readonly current: number[] } {
  const then = addAll(committed);
  return { committed: then, current: current === committed ? then : addAll(current) };
}

function malformed(problem: string): SyncFault {
  return new SyncFault('PROTOCOL_MALFORMED', problem);
}
