import type { RecordVersion } from '../../protocol/version.ts';
import { decodeEnvelope, encodeEnvelope } from '../envelope.ts';
import { FACT_KINDS } from '../fact-kinds.ts';
import { factKey } from '../store/fact.ts';
import { keyText, type RecordKey, type StoreView } from '../store/server-store.ts';
import { isSubmittedRow, type Submission } from '../submission.ts';
import type { EntryMember } from './entry-member.ts';
import { findHeaders, type TouchedHeader } from './group-headers.ts';
import { currentRecord, planMember } from './plan-member.ts';
import { createRefusal, EntryRefused } from './refusal.ts';
import type { SaveInProgress } from './save-members.ts';
import type { WorkingRecord, WorkingSet } from './working-set.ts';

/** The end of an entry whose header was submitted elsewhere: nothing of it is written. */
export interface SetAside {
  readonly outcome: 'discarded' | 'needsDuplicate';
  /** Place of the header among those that the entry names. */
  readonly header: number;
  readonly group: RecordKey;
}

/** Says whether a record is submitted, as it is or will be in this save. */
export function isSubmitted({ type, row, isLive }: Pick<WorkingRecord, 'type' | 'row' | 'isLive'>): boolean {
  return isLive && row !== null && isSubmittedRow(type, row);
}

/** What the submitted headers that an entry touches say of it. */
export interface Judgement {
  /** The entry ends so. */
  readonly setAside: SetAside | null;
  /** A member in a submitted group whose header, or something on the way to it, this user may not see: refused, once all that the user may not know of is checked. */
  readonly unseen: EntryMember | null;
}

const NOTHING: Judgement = { setAside: null, unseen: null };

/**
 * Holds an entry against the submitted headers that it touches. Whoever could know that a header is submitted is refused; whoever could
 * not, because another store submitted it after the version that the user saw, has the entry set aside the way the schema says. What
 * is uncertain is refused, for then the user decides and nothing is lost.
 *
 * @throws {@link EntryRefused} with class `locked`.
 */
export async function judgeSubmitted(save: SaveInProgress, members: readonly EntryMember[]): Promise<Judgement> {
  const { working, upload, visibility, principal } = save;
  if (upload === undefined || members.every(({ type }) => type.header === null)) return NOTHING;
  const mayBeSeen = ({ type, id, row }: WorkingRecord): boolean => row === null || visibility.isVisible(principal, type, id, row);
  const touched = await findHeaders(working, members, upload.headers, mayBeSeen);
  const closed = touched.filter(({ record }) => isSubmitted(record));
  if (closed.length === 0 || (await isAllThere(save, members))) return NOTHING;
  let judgement = NOTHING;
  for (const header of closed) {
    if (!header.isSeen) judgement = { ...judgement, unseen: header.member };
    else judgement = { ...judgement, setAside: await judgeHeader(save, header, touched.length) };
  }
  return judgement;
}

async function judgeHeader({ transaction, upload, rules }: SaveInProgress, header: TouchedHeader, groups: number): Promise<SetAside> {
  const { record, member, named, base } = header;
  const { elsewhere } = record.type.submitted!;
  const submission = await findSubmission(transaction, record);
  // An entry between two groups is not divided: it has changes that the submitted one has nothing to do with.
  if (elsewhere !== 'error' && groups === 1 && named !== null && base !== null && rules.isElsewhere(submission, upload!.store, base)) {
    return { outcome: elsewhere === 'discard' ? 'discarded' : 'needsDuplicate', header: named, group: { object: record.object, id: record.id } };
  }
  throw new EntryRefused(createRefusal('locked', member.index, `this ${record.object} is submitted`));
}

/** Rule C1: creates of records that are online already, equal in every field, change nothing; not even something submitted. */
async function isAllThere({ core, working, visibility, principal }: SaveInProgress, members: readonly EntryMember[]): Promise<boolean> {
  for (const member of members) {
    if (member.op !== 'create') return false;
    const current = currentRecord(await working.get(member), visibility, principal);
    if (planMember(core, member, current).kind !== 'nothing') return false;
  }
  return true;
}

/** Keeps by whom headers were submitted in this save, in its transaction; `versions` are those it wrote. */
export async function keepSubmissions({ working, transaction, hooks: { base } }: SaveInProgress, versions: ReadonlyMap<string, RecordVersion>): Promise<void> {
  const { origin, user, now } = base;
  const [store, number] = origin.kind === 'device' ? [origin.store, origin.number] : [null, null];
  for (const record of newlySubmitted(working)) {
    const body = encodeEnvelope({ store, number, version: versions.get(keyText(record))! } satisfies Submission);
    await transaction.putFact({ kind: FACT_KINDS.submission, key: submissionKey(record), user, createdAt: now, body });
  }
}

/** The headers that this save submits: its members, and what hooks and triggers made of others. */
export function newlySubmitted(working: WorkingSet): WorkingRecord[] {
  return working.changed().filter((record) => record.type.submitted !== null && isSubmitted(record) && !wasSubmitted(record));
}

function wasSubmitted({ type, stored, before }: WorkingRecord): boolean {
  return stored !== null && !stored.isDeleted && before !== null && isSubmittedRow(type, before);
}

/** The last submission of a header; `null` when it never was submitted, or was before the server kept it. */
export async function findSubmission(view: StoreView, header: RecordKey): Promise<Submission | null> {
  const fact = await view.getFact(FACT_KINDS.submission, submissionKey(header));
  return fact === null ? null : (decodeEnvelope(fact.body) as Submission);
}

function submissionKey({ object, id }: RecordKey): string {
  return factKey(object, id);
}
