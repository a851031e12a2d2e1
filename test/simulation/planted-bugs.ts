import { coalesce } from '../../src/client/queue/coalesce.ts';
import { pickPollDelay, planLane } from '../../src/client/network/poll-plan.ts';
import { planUpload } from '../../src/client/network/upload-plan.ts';
import { decodeMeta, encodeMeta, STATE } from '../../src/client/store/stored.ts';
import type { ClientRules } from '../../src/client/rules.ts';
import { decodeEnvelope } from '../../src/protocol/envelope.ts';
import { parseUploadAnswer } from '../../src/protocol/parse.ts';
import { decodeRow, isInMask, joinRow, maskPositions, splitRow } from '../../src/protocol/row.ts';
import type { Commit } from '../../src/storage/storage-adapter.ts';
import type { ServerStore, StoreTransaction } from '../../src/server/index.ts';
import type { FeedRow, RecordKey, StoreView } from '../../src/server/store/server-store.ts';
import { layoutsOf } from '../../src/protocol/layout.ts';
import { inScope, schema } from './crm.ts';
import type { PlantedRules } from './world.ts';

/** A bug that the simulator must find: the product with one rule swapped. */
export interface PlantedBug {
  /** The mistake, in words that a developer might have made it with. */
  readonly mistake: string;
  readonly rules: PlantedRules;
  /** It has to be found in this many seeds. */
  readonly withinSeeds: number;
}

// The test of the test. Each of these is a bug that somebody has shipped, or that the reliability notes warn of.
const BUGS: Readonly<Record<string, Omit<PlantedBug, 'withinSeeds'> & { readonly withinSeeds?: number }>> = {
  'rebase-onto-current': {
    withinSeeds: 400,
    mistake: 'C5: later edits are rebased onto the record as it is now, which may hold what another device wrote',
    rules: { client: { rebaseOnto: (_committed, current) => current } },
  },
  'no-rebase': {
    mistake: 'C5: later edits keep the previous value of the save',
    rules: { client: { isRebased: () => false } },
  },
  'no-version-compare': {
    mistake: 'C6: whatever arrives last is merged',
    rules: { client: { isNewer: () => true } },
  },
  'merge-over-pending': {
    mistake: 'A39: the feed is merged into records with waiting changes',
    rules: { client: { verdict: (verdict) => (verdict === 'discard' ? 'merge' : verdict) } },
  },
  'no-side-image': {
    mistake: 'C7: what must not be merged now is thrown away, as the words of the source have it',
    rules: { client: { keepsAside: () => false } },
  },
  'cursor-first': {
    mistake: 'A29: the cursor is stored before the rows that it passes',
    rules: { client: { commitsOf: (step) => split(step, (key) => key === STATE.meta) } },
  },
  'queue-apart': {
    mistake: 'A11: the queue is written first, and the rest of the step in a second commit',
    rules: { client: { commitsOf: (step) => split(step, (key) => key.startsWith(STATE.queue)) } },
  },
  'fresh-numbers': {
    mistake: 'C2: each attempt has a number of its own',
    rules: { client: { numberFor: (_entry, nextNumber) => nextNumber } },
  },
  'undo-without-side-image': {
    mistake: 'B13: undo shows the record as it was when it was first changed',
    rules: { client: { undoneTo: (base) => base } },
  },
  'undo-to-previous': {
    mistake: 'B13: undo puts back the previous values of the change',
    rules: {
      client: {
        undoneTo(base, _side, { members: [member] }) {
          if (!base?.row || !member?.previous || member.layout.hash !== base.layout.hash) return base;
          const previous = splitRow(member.previous), slots = maskPositions(member.mask!);
          const row = splitRow(base.row).map((value, position) => (isInMask(member.mask!, position) ? previous[slots.indexOf(position)]! : value));
          return { ...base, row: joinRow(row) };
        },
      },
    },
  },
  'cursor-too-far': {
    mistake: 'A29: the cursor is moved one entry too far',
    rules: { client: { cursorAfter: ({ from, next }) => ({ ...next, position: next.position + (next.position > from.position ? 1 : 0) }) } },
  },
  'overtaking': {
    mistake: 'C9: what depends on a refused change is sent all the same',
    rules: { client: { planUpload: ({ entries, ...input }) => planUpload({ ...input, entries: [...entries].filter(({ state }) => state !== 'failed') }) } },
  },
  'newest-first': {
    mistake: 'A17: the last save is sent first',
    rules: { client: { planUpload: ({ entries, ...input }) => planUpload({ ...input, entries: [...entries].toReversed() }) } },
  },
  'any-answer': {
    withinSeeds: 120,
    mistake: 'T8: the results of whatever comes back settle the entries in flight, by position',
    rules: { client: { isAnswerTo: () => true, areResultsOf: (results, entries) => results.length === entries.length } },
  },
  'settled-by-delay': {
    mistake: 'C11: an entry leaves the queue on any answer, "try later" included',
    rules: {
      client: { readResult: (result) => (result.outcome === 'tryLater' ? { number: result.number, outcome: 'saved', committed: [], current: [], overwritten: [] } : result) },
    },
  },
  'no-receipts': {
    mistake: 'C2: a repeated upload is saved again',
    rules: { server: { recall: () => null } },
  },
  'repeat-shows-current': {
    withinSeeds: 400,
    mistake: 'C5: a repeated answer shows the record as it is now where it should show what was committed',
    rules: { server: { committedOnRepeat: (_then, now) => now } },
  },
  'no-comparison': {
    mistake: 'A19: the last save wins, whatever its user had seen',
    rules: { server: { compares: () => false } },
  },
  'no-masters': {
    mistake: 'A30: the master of a saved record is left out of answer and feed',
    rules: { server: { concerns: ({ object, id }, members) => members.some((member) => member.object === object && member.id === id) } },
  },
  'versions-restart': {
    withinSeeds: 120,
    mistake: 'C6: a record that comes back after a delete begins at version 1',
    rules: { server: { nextVersion: (stored, epoch) => [epoch, stored === null || stored.isDeleted ? 1 : stored.version[1] + 1] } },
  },
  'expiry-ignored': {
    withinSeeds: 120,
    mistake: 'A31: a cursor older than the feed is answered with what is left',
    rules: { server: { oldestKept: (oldest) => (oldest === null ? null : 1), gapBefore: () => null } },
  },
  'feed-apart': {
    mistake: 'A29: the feed row is written after the save was committed, in a transaction of its own',
    rules: { store: (store) => ({ ...store, run: (tenant, work) => runWithFeedAfter(store, tenant, work) }) },
  },
  'feed-of-everyone': {
    mistake: 'A28: a save goes onto the feed of every user',
    rules: { store: (store) => ({ ...store, run: (tenant, work) => store.run(tenant, (transaction) => work(feedingEveryone(transaction))) }) },
  },
  'no-fence': {
    mistake: 'C10: a tab writes on after another one has taken the store over',
    withinSeeds: 200,
    rules: { client: { commitsOf: ({ expect: _fence, ...step }) => [step] } },
  },
  'hardware-identity': {
    mistake: 'C2: a store is named after its device, so a new one after a wipe begins its numbers anew under the old name',
    withinSeeds: 200,
    rules: { clientOf: (device) => ({ createStoreId: () => device }) },
  },
  'coalesce-in-flight': {
    mistake: 'C4: a save joins an entry that was sent already, whose answer then settles it',
    rules: {
      client: {
        coalesce({ tail, ...input }) {
          const joined = coalesce({ ...input, tail: { ...tail, state: 'queued', number: null, refusal: null } });
          return joined === null || joined === 'withdrawn' || tail.number === null ? joined : { ...joined, state: tail.state, number: tail.number, refusal: tail.refusal };
        },
      },
    },
  },
  'coalesce-groups': {
    mistake: 'C8: a save joins a waiting one although it belongs to a group, a submit included',
    rules: { client: { coalesce: ({ definition: { submitted: _submitted, ...definition }, ...input }) => coalesce({ ...input, isGrouped: false, definition }) } },
  },
  'coalesce-unasked': {
    mistake: 'C8: saves of an object are joined that wants each by itself',
    rules: { client: { coalesce: ({ definition, ...input }) => coalesce({ ...input, definition: { ...definition, coalesce: 'tail' } }) } },
  },
  'torn-group': {
    mistake: 'A15: of a transaction only the first record is sent',
    rules: { client: { planUpload: (input) => planUpload(input).map((entry) => (entry.number === null ? { ...entry, members: entry.members.slice(0, 1) } : entry)) } },
  },
  'headers-forgotten': {
    mistake: 'A15: entries do not name the header of their group, and do not wait for it',
    rules: { client: { headersOf: () => [] } },
  },
  'no-local-lock': {
    mistake: 'A23: a device lets its user edit what that user has submitted',
    rules: { client: { isLocked: () => false } },
  },
  'discard-without-journal': {
    mistake: 'A24: what is dropped is not kept in the journal',
    withinSeeds: 100,
    rules: { client: { commitsOf: ({ putState = [], ...step }) => [{ ...step, putState: putState.filter(({ key }) => !key.startsWith(STATE.journal)) }] } },
  },
  'silent-discard': {
    mistake: 'A24: the user is not told that edits were dropped',
    withinSeeds: 100,
    rules: { client: { keepsNotice: ({ kind }) => kind !== 'discarded' } },
  },
  'discard-leaves-followers': {
    mistake: 'A24: later edits of the group stay in the queue when the first is dropped',
    withinSeeds: 200,
    rules: { client: { discardsFollower: () => false } },
  },
  'copy-leaves-followers': {
    mistake: 'A23: what went up in the copy goes up once more by itself',
    withinSeeds: 200,
    rules: { client: { absorbsFollower: () => false } },
  },
  'set-aside-unrecorded': {
    mistake: 'A24: that an entry was dropped, or is to be copied, is not kept, and a late repeat is decided anew',
    withinSeeds: 200,
    rules: { store: (store) => ({ ...store, run: (tenant, work) => store.run(tenant, (transaction) => work(forgettingSets(transaction))) }) },
  },
  'own-submit-elsewhere': {
    mistake: 'A23: a device that submitted a record itself is treated as one that could not know',
    withinSeeds: 200,
    rules: { server: { isElsewhere: () => true }, client: { isLocked: () => false } },
  },
  'submitted-is-open': {
    mistake: 'A23: whoever comes late with edits of a submitted record is refused, whatever the record wants',
    withinSeeds: 100,
    rules: { server: { isElsewhere: () => false } },
  },
  'overwritten-untold': {
    mistake: 'A22: what an override replaced is neither told nor kept',
    rules: { server: { tellsOverwritten: () => false } },
  },
  'remainder-dropped': {
    mistake: 'A19: of a save that is kept in part, the refused fields are dropped with the saved ones',
    withinSeeds: 100,
    rules: {
      client: {
        readResult: (result) => (result.outcome === 'partlySaved' ? { number: result.number, outcome: 'saved', committed: result.committed, current: result.current, overwritten: [] } : result),
      },
    },
  },
  'remainder-rebased': {
    mistake: 'C5: later edits of a refused field are rebased as if it had been saved',
    withinSeeds: 300,
    rules: { client: { rebasesWrittenOnly: () => false } },
  },
  'keep-mine-unseen': {
    mistake: 'B13: keeping mine begins from what was merged last, and is refused for ever',
    withinSeeds: 200,
    rules: { client: { keepMineOver: (_shown, base) => base } },
  },
  'retry-same-number': {
    mistake: 'A26: a refused change is sent again under its old number, whose answer is known',
    withinSeeds: 100,
    rules: { client: { retryAs: ({ number }) => ({ state: 'sending', number }) } },
  },
  'fix-at-the-end': {
    mistake: 'A26: what takes the place of a refused entry goes to the end of the queue',
    withinSeeds: 100,
    rules: { client: { placeOf: (_seq, nextSeq) => nextSeq } },
  },
  'draft-lost': {
    mistake: 'A12: a draft is kept in memory alone, and a crash takes it',
    rules: { client: { commitsOf: ({ putState = [], ...step }) => [{ ...step, putState: putState.filter(({ key }) => !key.startsWith(STATE.draft)) }] } },
  },
  'draft-overrun': {
    mistake: 'A12: the feed is merged into records that a draft holds',
    withinSeeds: 100,
    rules: { client: { isInUse: () => false } },
  },
  'hints-alone': {
    mistake: 'A6: a device that hears hints polls no more by itself',
    withinSeeds: 400,
    rules: { client: { pollDelay: (intervalMs, random, isHinted) => (isHinted ? Infinity : pickPollDelay(intervalMs, random)) } },
  },
  'parts-mixed': {
    mistake: 'A29, A35: a device does not look whether a part is of the state that the parts before were of',
    withinSeeds: 400,
    rules: { client: { isNextPart: (staged, part) => part.place === staged.place + 1 } },
  },
  'incomplete-merged': {
    mistake: 'A35: a group is merged although one of its members has not come',
    withinSeeds: 200,
    rules: { client: { needsOf: () => new Map(), verdict: (verdict) => (verdict === 'incomplete' ? 'merge' : verdict) } },
  },
  'open-overrun': {
    mistake: 'A36: the feed is merged into records that somebody has open',
    withinSeeds: 100,
    rules: { client: { isInUse: (drafts, key) => drafts.has(key) } },
  },
  'record-by-record': {
    mistake: 'A34: what is in the way of one member of a group does not keep the others aside',
    withinSeeds: 100,
    rules: { client: { unitsOf: (units) => units.flatMap(({ arrived, ...unit }) => arrived.map((key) => ({ ...unit, headers: [key], members: new Map(), arrived: [key] }))) } },
  },
  'aside-over-answer': {
    mistake: 'C6: what was kept aside is put over the newer answer to an own save',
    withinSeeds: 100,
    rules: { client: { replaces: () => true } },
  },
  'never-left': {
    mistake: 'A38: a record that was open once counts as open after the last person has left it',
    withinSeeds: 100,
    rules: { clientOf: () => ({ isInUse: neverLeft() }) },
  },
  'gap-unnoted': {
    mistake: 'A31: a device goes on behind a gap of the feed, and does not note that something is missing',
    withinSeeds: 200,
    rules: { client: { commitsOf: ({ putState = [], ...step }) => [{ ...step, putState: putState.map((row) => (row.key === STATE.meta ? { ...row, bytes: encodeMeta({ ...decodeMeta(row.bytes), hasFeedGap: false }) } : row)) }] } },
  },
  'hidden-shown': {
    mistake: 'A28: a record that a user may not see is sent as it is, not as a removal',
    withinSeeds: 100,
    rules: { server: { shows: () => true } },
  },
  'online-on-feed': {
    mistake: 'A7, A40: what is edited online goes onto the feeds of those who have a device',
    rules: { store: (store) => ({ ...store, run: (tenant, work) => store.run(tenant, (transaction) => runFeedingOnline(transaction, work)) }) },
  },
  'scope-on-feed': {
    mistake: 'A32: what came out of scope is left out of the feed',
    rules: { store: (store) => ({ ...store, read: (tenant, work) => store.read(tenant, (view) => work({ ...view, listFeed: (...range) => scopedFeed(view, range) })) }) },
  },
  'polls-unseen': {
    mistake: 'A33: a device goes on polling while nobody looks, or without a network',
    rules: { client: { planLane: (state, now) => planLane({ ...state, isOnline: true, isForeground: true }, now) } },
  },
  'feed-of-another': {
    mistake: 'A28: a device reads the feed of somebody else, at its own cursor',
    rules: { store: (store) => ({ ...store, read: (tenant, work) => store.read(tenant, (view) => work({ ...view, listFeed: (user, after, limit) => view.listFeed(user === 'u1' ? 'u2' : 'u1', after, limit) })) }) },
  },
  'unguarded': {
    mistake: 'A37: what waits of a record is not looked at before it is saved, submitted or deleted',
    withinSeeds: 100,
    rules: { client: { guards: () => false } },
  },
  'answer-all-shown': {
    mistake: 'A27: at the answer to an own save an open record shows what others have changed',
    withinSeeds: 200,
    rules: { client: { showsAnswer: () => true } },
  },
  'undo-forgets-dependants': {
    mistake: 'B13: an undo leaves what depends on the change it takes back',
    rules: { client: { takesAlong: () => false } },
  },
  'one-big-request': {
    mistake: 'A17: a request takes everything that waits, several changes of one record too',
    rules: { client: { planUpload: ({ entries, limits, deferred }) => [...entries].filter(({ state, seq }) => state !== 'failed' && !deferred.has(seq)).slice(0, limits.entries) } },
  },
};

/** Marks that nobody takes away again. */
function neverLeft(): ClientRules['isInUse'] {
  const seen = new Set<string>();
  return (drafts, key, handles) => {
    if (handles.has(key)) seen.add(key);
    return drafts.has(key) || seen.has(key);
  };
}

/** Every planted bug by its name. */
export const PLANTED_BUGS: Readonly<Record<string, PlantedBug>> = Object.fromEntries(
  Object.entries(BUGS).map(([name, bug]) => [name, { withinSeeds: 40, ...bug }]),
);

/** Decisions that write nothing and refuse nothing are those that set an entry aside. */
function forgettingSets(transaction: StoreTransaction): StoreTransaction {
  const isSetAside = (result: Uint8Array): boolean => parseUploadAnswer(decodeEnvelope(result)).results.some(({ outcome }) => outcome === 'needsDuplicate' || outcome === 'discarded');
  return { ...transaction, putReceipt: async (key, receipt) => (isSetAside(receipt.result) ? undefined : transaction.putReceipt(key, receipt)) };
}

async function runWithFeedAfter<T>(store: ServerStore, tenant: string, work: (transaction: StoreTransaction) => Promise<T>): Promise<T> {
  const late: Parameters<StoreTransaction['appendFeed']>[] = [];
  const answer = await store.run(tenant, (transaction) =>
    work({
      ...transaction,
      async appendFeed(...row) {
        late.push(row);
        return (await transaction.getFeed(row[0]))!.head + 1;
      },
    }),
  );
  for (const row of late) await store.run(tenant, (transaction) => transaction.appendFeed(...row));
  return answer;
}

function feedingEveryone(transaction: StoreTransaction): StoreTransaction {
  return {
    ...transaction,
    async appendFeed(user, row) {
      for (const other of ['u1', 'u2']) if (other !== user && (await transaction.getFeed(other)) !== null) await transaction.appendFeed(other, row);
      return transaction.appendFeed(user, row);
    },
  };
}

async function scopedFeed(view: StoreView, range: Parameters<StoreView['listFeed']>): Promise<readonly FeedRow[]> {
  const rows = await view.listFeed(...range);
  const stored = await view.getRecords(rows.flatMap(({ records }) => records));
  const isLeftOut = (record: RecordKey): boolean => stored.some(({ object, id, row }) => object === record.object && id === record.id && !inScope({ tenant: 'default', user: '', claims: {} }, { object, id, values: decodeRow(layoutsOf(schema).get(object)!, row) }));
  return rows.map((row) => ({ ...row, records: row.records.filter((record) => !isLeftOut(record)) }));
}

/** A save by a device has a receipt, and one of the back office has none. */
async function runFeedingOnline<T>(transaction: StoreTransaction, work: (transaction: StoreTransaction) => Promise<T>): Promise<T> {
  const records: RecordKey[] = [];
  let isOnline = true;
  const answer = await work({
    ...transaction,
    async putRecords(given) {
      records.push(...given);
      return transaction.putRecords(given);
    },
    async putReceipt(key, receipt) {
      isOnline = false;
      return transaction.putReceipt(key, receipt);
    },
  });
  if (isOnline && records.length > 0) {
    for (const user of ['u1', 'u2']) if ((await transaction.getFeed(user)) !== null) await transaction.appendFeed(user, { createdAt: 0, store: 'online', number: 1, records });
  }
  return answer;
}

/** Cuts a step in two commits: the state rows that come first, then everything else. */
function split(step: Commit, isFirst: (key: string) => boolean): Commit[] {
  const { putState = [], removeState = [], expect, durability } = step;
  const first = {
    putState: putState.filter(({ key }) => isFirst(key)),
    removeState: removeState.filter(isFirst),
    durability,
    ...(expect === undefined ? {} : { expect }),
  };
  if (first.putState.length + first.removeState.length === 0) return [step];
  return [first, { ...step, putState: putState.filter(({ key }) => !isFirst(key)), removeState: removeState.filter((key) => !isFirst(key)) }];
}
