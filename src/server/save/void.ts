import { decodeEnvelope } from '../envelope.ts';
import type { EntryResult, VoidRequest } from '../../protocol/messages.ts';
import { parseVoidRequest } from '../../protocol/parse.ts';
import { SyncFault } from '../../shared/fault.ts';
import { createImageList, type ImageList } from '../image-list.ts';
import type { Principal } from '../principal.ts';
import type { ServerParts } from '../server-parts.ts';
import type { StoreTransaction } from '../store/server-store.ts';
import { decodeDecision, encodeDecision, recordsOf } from './receipt-codec.ts';
import { settleAgain, type Settled } from './settled.ts';
import { undecided } from './undecided.ts';
import { writeResult } from './upload.ts';

/** A receipt of nothing: whatever comes under its number later is not compared with it. */
const NO_CONTENT = '';

/** Reads a request to void. @throws SyncFault `PROTOCOL_MALFORMED`, `PROTOCOL_TOO_LARGE`, `PROTOCOL_VERSION_UNSUPPORTED` */
export function readVoid({ core, limits }: Pick<ServerParts, 'core' | 'limits'>, body: Uint8Array): VoidRequest {
  if (body.length > limits.bodyBytes) throw new SyncFault('PROTOCOL_TOO_LARGE', `a message may have ${limits.bodyBytes} bytes`);
  const scan = core.scanMessage(body);
  if (!scan.ok) throw new SyncFault('PROTOCOL_MALFORMED', `the message is not acceptable (${scan.status} at byte ${scan.offset})`);
  const request = parseVoidRequest(decodeEnvelope(body));
  if (request.numbers.length > limits.entries) throw new SyncFault('PROTOCOL_TOO_LARGE', `a request may void ${limits.entries} numbers`);
  if (request.numbers.some((number) => number < 1)) throw new SyncFault('PROTOCOL_MALFORMED', 'an upload number is from 1 up');
  return request;
}

/**
 * Voids upload numbers on which nothing was decided, each in a transaction of its own (rule C2). One that was decided is answered with
 * its decision, as a repeat of its upload would be; one whose upload is under way waits for it.
 */
export async function voidNumbers(parts: ServerParts, principal: Principal, { store, numbers }: VoidRequest): Promise<{ readonly results: EntryResult[]; readonly images: ImageList }> {
  const images = createImageList();
  const results: EntryResult[] = [];
  for (const number of numbers) {
    if (images.byteLength() > parts.limits.bodyBytes) {
      results.push({ number, outcome: 'tryLater', retryAfterMs: 0, message: 'the answer is full' });
      continue;
    }
    const { settled, members } = await parts.store
      .run(principal.tenant, (transaction) => voidOnce(parts, principal, transaction, store, number))
      .catch((thrown: unknown): VoidedOrSettled => ({ settled: undecided(parts, thrown), members: [] }));
    results.push(writeResult(number, settled, images, members));
  }
  return { results, images };
}

interface VoidedOrSettled {
  readonly settled: Settled;
  readonly members: Parameters<typeof writeResult>[3];
}

async function voidOnce(parts: ServerParts, principal: Principal, transaction: StoreTransaction, store: string, number: number): Promise<VoidedOrSettled> {
  const key = { user: principal.user, store, number };
  const receipt = parts.rules.recall(await transaction.claimReceipt(key));
  if (receipt === null) {
    await transaction.putReceipt(key, { hash: NO_CONTENT, createdAt: parts.clock.now(), result: encodeDecision(number, { outcome: 'voided' }) });
    return { settled: { outcome: 'voided' }, members: [] };
  }
  const decision = decodeDecision(parts.core, receipt.result);
  return { settled: await settleAgain(parts, principal, transaction, decision), members: recordsOf(decision) };
}
