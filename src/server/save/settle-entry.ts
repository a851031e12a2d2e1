import { isFault } from '../../shared/fault.ts';
import { createId } from '../../shared/ids.ts';
import type { WireEntry } from '../../protocol/messages.ts';
import type { Principal } from '../principal.ts';
import type { ServerParts } from '../server-parts.ts';
import { keepRefused } from '../support/refused-entries.ts';
import { isStorableId, keyText, type ReceiptKey, type RecordKey, type StoreTransaction } from '../store/server-store.ts';
import type { ReaderImage } from '../visibility.ts';
import { fingerprintEntry } from './entry-hash.ts';
import { createHookRunner } from './hook-runner.ts';
import { readEntry, type EntrySpan } from './read-entry.ts';
import { decodeDecision, encodeDecision, type Decision, type SettledImage } from './receipt-codec.ts';
import { createRefusal, EntryDelayed, EntryRefused, type EntryRefusal } from './refusal.ts';
import { saveMembers } from './save-members.ts';
import { WorkingSet } from './working-set.ts';

/** An uploaded entry, and whose it is. */
export interface UploadedEntry {
  readonly principal: Principal;
  readonly store: string;
  readonly entry: WireEntry;
  readonly span: EntrySpan;
}

/** What became of it. */
export type Settled =
  | { readonly outcome: 'saved'; readonly committed: readonly SettledImage[]; readonly current: readonly SettledImage[] }
  | { readonly outcome: 'refused'; readonly refusal: EntryRefusal; readonly current: readonly SettledImage[] }
  | { readonly outcome: 'tryLater'; readonly retryAfterMs: number; readonly message: string }
  | { readonly outcome: 'copied' }
  | { readonly outcome: 'voided' };

const HOOK_RETRY_MS = 5_000;

/** Settles one entry: from its receipt, or by saving it (rules A25, C2). Store faults come out; the device then repeats the request. */
export async function settleEntry(parts: ServerParts, uploaded: UploadedEntry): Promise<Settled> {
  const { tenant } = uploaded.principal;
  const { hash, byteLength } = fingerprintEntry(uploaded.entry, uploaded.span);
  try {
    return await parts.store.run(tenant, (transaction) => saveOnce(parts, uploaded, transaction, hash, byteLength));
  } catch (thrown) {
    if (thrown instanceof EntryRefused) {
      // The save was rolled back. The refusal is a decision too: committed before it is answered.
      return parts.store.run(tenant, (transaction) => refuseOnce(parts, uploaded, transaction, hash, thrown.refusal));
    }
    if (isFault(thrown) && thrown.code.startsWith('STORAGE_')) throw thrown;
    return delay(parts, thrown);
  }
}

async function saveOnce(parts: ServerParts, uploaded: UploadedEntry, transaction: StoreTransaction, hash: string, byteLength: number): Promise<Settled> {
  const { principal, store, entry, span } = uploaded;
  const key = receiptKey(uploaded);
  const receipt = parts.rules.recall(await transaction.claimReceipt(key));
  if (receipt !== null) return repeat(parts, uploaded, transaction, receipt, hash);
  refuseTooLarge(parts, entry, byteLength);
  const members = readEntry(parts, span);
  const working = new WorkingSet(transaction, parts.schema, parts.archive);
  const origin = { kind: 'device', store, number: entry.number, savedAt: entry.savedAt } as const;
  const { hooks, hookTimeoutMs: timeoutMs, clock, visibility, schema, core, hasStrictReferences, rules } = parts;
  const createRecordId = (): string => createId(clock, parts.random);
  const runner = createHookRunner({ hooks, timeoutMs, clock, principal, origin, working });
  const { affected, hasWritten } = await saveMembers(
    { core, schema, transaction, working, hooks: runner, visibility, principal, hasStrictReferences, createRecordId, rules },
    members,
  );
  const images = ownImages(affected.filter((record) => rules.concerns(record, members)).map((record) => visibility.imageOf(principal, record)), members);
  const committed = images.map((image) => settledImage(parts, image));
  const createdAt = clock.now();
  await transaction.putReceipt(key, { hash, createdAt, result: encodeDecision(entry.number, { outcome: 'saved', committed }) });
  if (hasWritten) {
    const records = images.map(({ object, id }) => ({ object, id }));
    await transaction.appendFeed(principal.user, { createdAt, store, number: entry.number, records });
  }
  return { outcome: 'saved', committed, current: committed };
}

/** What the reader may not see is shown as hidden only where the device itself has it: the members of its own entry. */
function ownImages(images: readonly ReaderImage[], members: readonly RecordKey[]): ReaderImage[] {
  const own = new Set(members.map(keyText));
  return images.filter((image) => image.state !== 'hidden' || own.has(keyText(image)));
}

async function refuseOnce(parts: ServerParts, uploaded: UploadedEntry, transaction: StoreTransaction, hash: string, refusal: EntryRefusal): Promise<Settled> {
  const key = receiptKey(uploaded);
  // Two copies of the request may race: the first decision stands.
  const receipt = parts.rules.recall(await transaction.claimReceipt(key));
  if (receipt !== null) return repeat(parts, uploaded, transaction, receipt, hash);
  const result = encodeDecision(uploaded.entry.number, { outcome: 'refused', refusal, members: spanMembers(uploaded.span) });
  const createdAt = parts.clock.now();
  await transaction.putReceipt(key, { hash, createdAt, result });
  await keepRefused(transaction, { ...key, savedAt: uploaded.entry.savedAt, span: uploaded.span }, refusal, createdAt);
  return { outcome: 'refused', refusal, current: await visibleNow(parts, uploaded, transaction, storableKeys(spanMembers(uploaded.span))) };
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
  return repeatDecision(parts, uploaded, transaction, decision, spanMembers(uploaded.span));
}

/** A decision as it is answered again: with the records as this user may see them now. */
export async function repeatDecision(
  parts: ServerParts,
  { principal }: Pick<UploadedEntry, 'principal'>,
  transaction: StoreTransaction,
  decision: Decision,
  members: readonly RecordKey[],
): Promise<Settled> {
  if (decision.outcome === 'voided') return decision;
  if (decision.outcome === 'refused') {
    return { outcome: 'refused', refusal: decision.refusal, current: await visibleNow(parts, { principal }, transaction, storableKeys(members)) };
  }
  const keys = decision.committed.map(({ image }) => image);
  const now = await parts.visibility.images(transaction, principal, keys);
  const hidden = new Set(now.filter(({ state }) => state === 'hidden').map(keyText));
  // What was seen then and may not be seen now is not shown again, not even as it was.
  const committed = decision.committed.map(({ image, layout }) => ({ image: hidden.has(keyText(image)) ? hide(image) : image, layout }));
  const current = now.map((image) => settledImage(parts, image));
  return { outcome: 'saved', committed: parts.rules.committedOnRepeat(committed, current), current };
}

function hide(image: ReaderImage): ReaderImage {
  return { ...image, state: 'hidden', row: null };
}

async function visibleNow(parts: ServerParts, { principal }: Pick<UploadedEntry, 'principal'>, transaction: StoreTransaction, keys: readonly RecordKey[]): Promise<SettledImage[]> {
  const images = await parts.visibility.images(transaction, principal, keys);
  return images.filter(({ state }) => state !== 'hidden').map((image) => settledImage(parts, image));
}

/** The record of each member of an entry, in order. */
export function spanMembers({ table, layouts, start, count }: EntrySpan): RecordKey[] {
  return Array.from({ length: count }, (_, index) => ({ object: layouts[table.layout(start + index)]!.object, id: table.id(start + index) }));
}

/** Records by their keys, each once, as far as they can be stored. */
function storableKeys(members: readonly RecordKey[]): RecordKey[] {
  return [...new Map(members.filter(({ id }) => isStorableId(id)).map((key) => [keyText(key), key])).values()];
}

function settledImage({ schema }: ServerParts, image: ReaderImage): SettledImage {
  return { image, layout: schema.objects.get(image.object)!.layout };
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

function delay({ log }: ServerParts, thrown: unknown): Settled {
  const isHook = thrown instanceof EntryDelayed;
  log({ level: 'error', event: isHook ? 'hook:failed' : 'save:failed', message: isHook ? thrown.message : 'an entry could not be saved', cause: thrown });
  return { outcome: 'tryLater', retryAfterMs: HOOK_RETRY_MS, message: 'the server could not save this now' };
}
