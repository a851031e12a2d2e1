import { createId } from '../../shared/ids.ts';
import type { WireEntry } from '../../protocol/messages.ts';
import type { Principal } from '../principal.ts';
import type { EntryChange } from '../around-hooks.ts';
import type { SaveOccasion } from '../save-hooks.ts';
import type { ServerParts } from '../server-parts.ts';
import { keepRefused, type RefusedUpload } from '../support/refused-entries.ts';
import { keyText, type ReceiptKey, type RecordKey, type StoreTransaction } from '../store/server-store.ts';
import type { ReaderImage } from '../visibility.ts';
import { announceSave, prepareSave, type DecidedSave } from './around.ts';
import { plainChanges } from './entry-changes.ts';
import { fingerprintEntry } from './entry-hash.ts';
import { createHookRunner } from './hook-runner.ts';
import { readEntry, type EntrySpan } from './read-entry.ts';
import type { MemberOverwrite } from './overwritten.ts';
import { decodeDecision, encodeDecision, type Decision, type SettledOverwrite } from './receipt-codec.ts';
import { createRefusal, EntryRefused, type EntryRefusal } from './refusal.ts';
import { saveMembers, type SaveInProgress } from './save-members.ts';
import { settleAgain, type Settled } from './settled.ts';
import type { SetAside } from './submitted.ts';
import { undecided } from './undecided.ts';
import { WorkingSet } from './working-set.ts';

/** An uploaded entry, and whose it is. */
export interface UploadedEntry {
  readonly principal: Principal;
  readonly store: string;
  readonly entry: WireEntry;
  readonly span: EntrySpan;
}

/** Settles one entry: from its receipt, or by saving it (rules A25, C2). Store faults come out; the device then repeats the request. */
export async function settleEntry(parts: ServerParts, uploaded: UploadedEntry): Promise<Settled> {
  const { settled, decided } = await decideEntry(parts, uploaded);
  if (decided !== null) announceSave(parts, occasionOf(parts, uploaded), decided, () => changesIn(parts, uploaded));
  return settled;
}

/** What became of an entry, and what was decided if it was decided now. */
interface EntryDecision {
  readonly settled: Settled;
  /** `null` for a repeat, and when nothing is decided. */
  readonly decided: DecidedSave | null;
}

async function decideEntry(parts: ServerParts, uploaded: UploadedEntry): Promise<EntryDecision> {
  const { tenant } = uploaded.principal;
  const { hash, byteLength } = fingerprintEntry(uploaded.entry, uploaded.span);
  const save = async (): Promise<EntryDecision> => {
    const prepared = await prepareEntry(parts, uploaded, byteLength);
    return parts.store.run(tenant, (transaction) => saveOnce(parts, uploaded, transaction, { hash, byteLength, prepared }));
  };
  // The save was rolled back. The refusal is a decision too: committed before it is answered.
  const refuse = (refusal: EntryRefusal): Promise<EntryDecision> => parts.store.run(tenant, (transaction) => refuseOnce(parts, uploaded, transaction, hash, refusal));
  try {
    return await save().catch((thrown: unknown) => {
      if (thrown instanceof EntryRefused) return refuse(thrown.refusal);
      throw thrown;
    });
  } catch (thrown) {
    return { settled: undecided(parts, thrown), decided: null };
  }
}

/** Before the transaction: nobody waits for what the host does here. A decision that stands is not prepared again. */
async function prepareEntry(parts: ServerParts, uploaded: UploadedEntry, byteLength: number): Promise<unknown> {
  if (parts.prepare === null) return undefined;
  const receipt = await parts.store.read(uploaded.principal.tenant, (view) => view.getReceipt(receiptKey(uploaded)));
  if (parts.rules.recall(receipt) !== null) return undefined;
  refuseTooLarge(parts, uploaded.entry, byteLength);
  return prepareSave(parts, occasionOf(parts, uploaded), plainChanges(readEntry(parts, uploaded.span)));
}

function occasionOf({ clock }: ServerParts, { principal, store, entry }: UploadedEntry): SaveOccasion {
  return { ...principal, origin: { kind: 'device', store, number: entry.number, savedAt: entry.savedAt }, now: clock.now() };
}

function changesIn(parts: ServerParts, { span }: UploadedEntry): EntryChange[] {
  try {
    return plainChanges(readEntry(parts, span));
  } catch {
    return []; // Refused because the schema has no place for it.
  }
}

interface SaveInput {
  readonly hash: string;
  readonly byteLength: number;
  readonly prepared: unknown;
}

async function saveOnce(parts: ServerParts, uploaded: UploadedEntry, transaction: StoreTransaction, { hash, byteLength, prepared }: SaveInput): Promise<EntryDecision> {
  const { principal, entry, span } = uploaded;
  const receipt = parts.rules.recall(await transaction.claimReceipt(receiptKey(uploaded)));
  if (receipt !== null) return { settled: await repeat(parts, uploaded, transaction, receipt, hash), decided: null };
  refuseTooLarge(parts, entry, byteLength);
  const members = readEntry(parts, span);
  const end = await saveMembers(openSave(parts, uploaded, transaction, prepared), members);
  if (end.kind === 'setAside') return setAside(parts, uploaded, transaction, hash, end);
  const { affected, hasWritten, left, overwritten } = end;
  const { clock, visibility, rules } = parts;
  const committed = ownImages(affected.filter((record) => rules.concerns(record, members)).map((record) => visibility.imageOf(principal, record)), members);
  const createdAt = clock.now();
  const decision: Decision =
    left === null
      ? { outcome: 'saved', committed, overwritten: overwritten.map((overwrite) => settledOverwrite(parts, principal, overwrite)) }
      : { outcome: 'partlySaved', committed, refusal: left, records: recordsIn(parts, uploaded) };
  await decide(transaction, uploaded, hash, createdAt, decision);
  if (left !== null) await keepRefused(transaction, refusedUpload(uploaded), left, createdAt);
  if (hasWritten) {
    const records = committed.map(({ object, id }) => ({ object, id }));
    await transaction.appendFeed(principal.user, { createdAt, store: uploaded.store, number: entry.number, records });
  }
  const settled: Settled =
    decision.outcome === 'saved' ? { ...decision, current: committed } : { outcome: 'partlySaved', refusal: decision.refusal, committed, current: committed };
  return { settled, decided: { outcome: settled.outcome, refusal: left, affected } };
}

function openSave(parts: ServerParts, { principal, store, entry }: UploadedEntry, transaction: StoreTransaction, prepared: unknown): SaveInProgress {
  const { hooks, hookTimeoutMs: timeoutMs, clock, random, visibility, schema, core, hasStrictReferences, rules } = parts;
  const { number, savedAt, headers, duplicateOf } = entry;
  const working = new WorkingSet(transaction, schema, parts.archive);
  const runner = createHookRunner({ hooks, timeoutMs, clock, principal, origin: { kind: 'device', store, number, savedAt }, working, prepared });
  const createRecordId = (): string => createId(clock, random);
  const upload = { store, number, headers, duplicateOf };
  return { core, schema, transaction, working, hooks: runner, visibility, principal, hasStrictReferences, createRecordId, rules, upload };
}

/** A header was submitted elsewhere (rules A23, A24): that is a decision too, with nothing written. */
async function setAside(parts: ServerParts, uploaded: UploadedEntry, transaction: StoreTransaction, hash: string, { outcome, header, group }: SetAside): Promise<EntryDecision> {
  const decision: Decision = { outcome, header, group, records: recordsIn(parts, uploaded) };
  if (parts.rules.isFinal(outcome)) await decide(transaction, uploaded, hash, parts.clock.now(), decision);
  return { settled: await settleAgain(parts, uploaded.principal, transaction, decision), decided: { outcome, refusal: null, affected: [] } };
}

async function decide(transaction: StoreTransaction, uploaded: UploadedEntry, hash: string, createdAt: number, decision: Decision): Promise<void> {
  await transaction.putReceipt(receiptKey(uploaded), { hash, createdAt, result: encodeDecision(uploaded.entry.number, decision) });
}

function settledOverwrite(parts: ServerParts, principal: Principal, { member, fields, was }: MemberOverwrite): SettledOverwrite {
  // Only what is online can have been replaced, and only by who sees it.
  const record = { ...was, row: was.row!, version: was.stored!.version };
  return { member: member.index, fields, was: parts.visibility.imageOf(principal, record) };
}

/** What the reader may not see is shown as hidden only where the device itself has it: the members of its own entry. */
function ownImages(images: readonly ReaderImage[], members: readonly RecordKey[]): ReaderImage[] {
  const own = new Set(members.map(keyText));
  return images.filter((image) => image.state !== 'hidden' || own.has(keyText(image)));
}

async function refuseOnce(parts: ServerParts, uploaded: UploadedEntry, transaction: StoreTransaction, hash: string, refusal: EntryRefusal): Promise<EntryDecision> {
  // Two copies of the request may race: the first decision stands.
  const receipt = parts.rules.recall(await transaction.claimReceipt(receiptKey(uploaded)));
  if (receipt !== null) return { settled: await repeat(parts, uploaded, transaction, receipt, hash), decided: null };
  const decision: Decision = { outcome: 'refused', refusal, records: recordsIn(parts, uploaded) };
  const createdAt = parts.clock.now();
  await decide(transaction, uploaded, hash, createdAt, decision);
  await keepRefused(transaction, refusedUpload(uploaded), refusal, createdAt);
  return { settled: await settleAgain(parts, uploaded.principal, transaction, decision), decided: { outcome: 'refused', refusal, affected: [] } };
}

function refusedUpload(uploaded: UploadedEntry): RefusedUpload {
  return { ...receiptKey(uploaded), savedAt: uploaded.entry.savedAt, span: uploaded.span };
}

async function repeat(
  parts: ServerParts,
  uploaded: UploadedEntry,
  transaction: StoreTransaction,
  receipt: { readonly hash: string; readonly result: Uint8Array },
  hash: string,
): Promise<Settled> {
  const decision = decodeDecision(parts.core, receipt.result);
  // A number that was given up has no content to compare with.
  if (decision.outcome !== 'voided' && receipt.hash !== hash) return { outcome: 'copied' };
  // Receipts of the first version do not name the records, but the entry does.
  const known: Decision = 'records' in decision ? { ...decision, records: recordsIn(parts, uploaded) } : decision;
  return settleAgain(parts, uploaded.principal, transaction, known);
}

/** What the device should see with a decision: the records of the entry's members, in order, and the headers it names. Of one that is too large, the first. */
function recordsIn({ limits }: ServerParts, { span, entry }: UploadedEntry): RecordKey[] {
  return [...spanMembers(span).slice(0, limits.members), ...entry.headers.map(({ object, id }) => ({ object, id }))];
}

/** The record of each member of an entry, in order. */
export function spanMembers({ table, layouts, start, count }: EntrySpan): RecordKey[] {
  return Array.from({ length: count }, (_, index) => ({ object: layouts[table.layout(start + index)]!.object, id: table.id(start + index) }));
}

function receiptKey({ principal, store, entry }: UploadedEntry): ReceiptKey {
  return { user: principal.user, store, number: entry.number };
}

function refuseTooLarge({ limits }: ServerParts, entry: WireEntry, byteLength: number): void {
  if (entry.members > limits.members) {
    throw new EntryRefused(createRefusal('too-large', 0, `a transaction may have ${limits.members} records, not ${entry.members}`));
  }
  if (byteLength > limits.entryBytes) {
    throw new EntryRefused(createRefusal('too-large', 0, `a transaction may have ${limits.entryBytes} bytes, not ${byteLength}`));
  }
}
