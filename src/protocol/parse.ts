import { SyncFault } from '../shared/fault.ts';
import { type ProtocolLimits } from './limits.ts';
import {
  FEED_GAPS,
  REFUSAL_CLASSES,
  type EntryResult,
  type FaultAnswer,
  type FeedAnswer,
  type FeedCursor,
  type FeedPart,
  type FeedTransaction,
  type HelloAnswer,
  type Overwritten,
  type RecordAnswer,
  type Refusal,
  type ServerStamp,
  type SnapshotAnswer,
  type SnapshotKey,
  type UploadAnswer,
  type UploadRequest,
  type VoidRequest,
  type WireEntry,
  type WireGroup,
  type WireHeader,
  type WireLayout,
  type WireRecord,
} from './messages.ts';
import { malformed } from './malformed.ts';
import { binary, listOf, mapOf, oneOf, orNull, pairOf, text, trueOrFalse, wholeNumber, type Shape } from './shape.ts';
import { OLDEST_PROTOCOL_VERSION, PROTOCOL_VERSION } from './version.ts';

const MAX_MESSAGE = 4_000;
const MAX_LAYOUTS = 500;
const MAX_FIELDS = 500;
/** A transaction touches few groups: one, or the two between which a line moves. */
const MAX_HEADERS = 100;
const MAX_NUMBERS = 10_000;

/** Turns an envelope from outside into an upload request. @throws {@link SyncFault} `PROTOCOL_MALFORMED` and the codes of each part. */
export function parseUploadRequest(envelope: unknown): UploadRequest {
  const wireEntry = mapOf<WireEntry>({
    number: wholeNumber,
    savedAt: wholeNumber,
    members: wholeNumber,
    headers: listOf(wireHeader, MAX_HEADERS),
    duplicateOf: orNull(mapOf<WireRecord>({ object: text, id: text })),
  });
  const { store, attempt, protocol } = HEAD;
  const request = mapOf<UploadRequest>({ protocol, store, attempt, schema: text, ...ITEMS, entries: listOf(wireEntry) })(envelope, 'upload');
  if (request.entries.some(({ number, members }) => number < 1 || members < 1)) malformed('an entry needs a number and members from 1 up');
  return request;
}

export function parseVoidRequest(envelope: unknown): VoidRequest {
  const { store, attempt, protocol } = HEAD;
  return mapOf<VoidRequest>({ protocol, store, attempt, numbers: listOf(wholeNumber, MAX_NUMBERS) })(envelope, 'void');
}

export function parseUploadAnswer(envelope: unknown): UploadAnswer {
  return mapOf<UploadAnswer>({ ...HEAD, ...ITEMS, results: listOf(entryResult) })(envelope, 'upload answer');
}

export function parseFeedAnswer(envelope: unknown): FeedAnswer {
  const transaction = mapOf<FeedTransaction>({ position: wholeNumber, store: text, number: wholeNumber, items: indices });
  return mapOf<FeedAnswer>({
    ...HEAD,
    ...ITEMS,
    from: cursor,
    next: cursor,
    more: trueOrFalse,
    gap: orNull(oneOf(FEED_GAPS)),
    transactions: listOf(transaction),
    groups,
    part: orNull(mapOf<FeedPart>({ revision: text, place: wholeNumber, next: orNull(snapshotKey) })),
    outside: indices,
  })(envelope, 'feed answer');
}

export function parseSnapshotAnswer(envelope: unknown): SnapshotAnswer {
  return mapOf<SnapshotAnswer>({ ...HEAD, ...ITEMS, cursor, next: orNull(snapshotKey) })(envelope, 'snapshot answer');
}

export function parseRecordAnswer(envelope: unknown): RecordAnswer {
  return mapOf<RecordAnswer>({ ...HEAD, ...ITEMS, groups, outside: indices })(envelope, 'record answer');
}

export function parseHelloAnswer(envelope: unknown): HelloAnswer {
  const limits = mapOf<ProtocolLimits>({ bodyBytes: wholeNumber, entries: wholeNumber, members: wholeNumber, entryBytes: wholeNumber, pageItems: wholeNumber });
  return mapOf<HelloAnswer>({ ...HEAD, protocols: listOf(wholeNumber, 100), user: text, limits, hints: trueOrFalse })(envelope, 'hello answer');
}

export function parseFaultAnswer(envelope: unknown): FaultAnswer {
  const error = mapOf<FaultAnswer['error']>({ code: text, message });
  const { retryAfterMs, ...fault } = mapOf<Omit<FaultAnswer, 'retryAfterMs'> & { retryAfterMs: number | null }>({
    protocol: wholeNumber,
    error,
    retryAfterMs: (value, what) => orNull(wholeNumber)(value ?? null, what),
  })(envelope, 'error');
  return retryAfterMs === null ? fault : { ...fault, retryAfterMs };
}

const message: Shape<string> = (value, what) => text(value, what, MAX_MESSAGE);
const indices = listOf(wholeNumber);
const snapshotKey = mapOf<SnapshotKey>({ object: text, id: text });
const wireHeader = mapOf<WireHeader>({ object: text, id: text, epoch: wholeNumber, n: wholeNumber });
const groups = listOf(mapOf<WireGroup>({ object: text, id: text, members: indices, others: listOf(wireHeader) }));
const cursor = mapOf<FeedCursor>({ feed: text, epoch: wholeNumber, position: wholeNumber });

/** Of every answer. The protocol comes first: what another one says is not malformed. */
const HEAD = {
  protocol,
  store: text,
  attempt: text,
  server: mapOf<ServerStamp>({ time: wholeNumber, epoch: wholeNumber, head: wholeNumber, nextPollMs: orNull(wholeNumber), schema: text }),
};

/** Of every message that carries records. */
const ITEMS = { layouts: listOf<WireLayout>(pairOf(text, listOf(pairOf(text, wholeNumber), MAX_FIELDS)), MAX_LAYOUTS), items: binary };

const refusal = mapOf<Refusal>({
  class: oneOf(REFUSAL_CLASSES),
  code: text,
  message,
  member: wholeNumber,
  fields: listOf(text, MAX_FIELDS),
  online: orNull(wholeNumber),
});

const RESULT_SHAPES: { readonly [Outcome in EntryResult['outcome']]: Shape<Extract<EntryResult, { readonly outcome: Outcome }>> } = {
  saved: mapOf({
    number: wholeNumber,
    outcome: oneOf(['saved']),
    committed: indices,
    current: indices,
    overwritten: listOf(mapOf<Overwritten>({ member: wholeNumber, fields: listOf(text, MAX_FIELDS), was: wholeNumber })),
  }),
  partlySaved: mapOf({ number: wholeNumber, outcome: oneOf(['partlySaved']), refusal, committed: indices, current: indices }),
  refused: mapOf({ number: wholeNumber, outcome: oneOf(['refused']), refusal, current: indices }),
  discarded: mapOf({ number: wholeNumber, outcome: oneOf(['discarded']), header: wholeNumber, current: indices }),
  needsDuplicate: mapOf({ number: wholeNumber, outcome: oneOf(['needsDuplicate']), header: wholeNumber, current: indices }),
  voided: mapOf({ number: wholeNumber, outcome: oneOf(['voided']) }),
  tryLater: mapOf({ number: wholeNumber, outcome: oneOf(['tryLater']), retryAfterMs: wholeNumber, message }),
  copied: mapOf({ number: wholeNumber, outcome: oneOf(['copied']) }),
};

const OUTCOMES = Object.keys(RESULT_SHAPES) as EntryResult['outcome'][];

function entryResult(value: unknown, what: string): EntryResult {
  const { outcome } = mapOf<{ outcome: EntryResult['outcome'] }>({ outcome: oneOf(OUTCOMES) })(value, what);
  return RESULT_SHAPES[outcome](value, what);
}

function protocol(value: unknown, what: string): number {
  const spoken = wholeNumber(value, what);
  if (spoken < OLDEST_PROTOCOL_VERSION || spoken > PROTOCOL_VERSION) {
    throw new SyncFault('PROTOCOL_VERSION_UNSUPPORTED', `protocol ${spoken} is not spoken here`, {
      details: { protocol: spoken },
    });
  }
  return spoken;
}
