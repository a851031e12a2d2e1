import type { FieldValue } from '../../protocol/field.ts';
import type { RefusalClass } from '../../protocol/messages.ts';
import { decodeRow, decodeValue, maskPositions, NO_VALUE, splitRow } from '../../protocol/row.ts';
import type { EntryChange } from '../around-hooks.ts';
import { decodeEnvelope, encodeEnvelope } from '../envelope.ts';
import { FACT_KINDS, REFUSED_RETENTION_MS } from '../fact-kinds.ts';
import { DEFAULT_TENANT } from '../principal.ts';
import type { EntrySpan } from '../save/read-entry.ts';
import type { EntryRefusal } from '../save/refusal.ts';
import { factKey, type Fact } from '../store/fact.ts';
import type { ServerStore, StoreTransaction } from '../store/server-store.ts';

/** An entry may be megabytes; support needs to see what it was about. */
const MOST_VALUE_BYTES = 262_144;
const MOST_CHANGES = 2_000;

/** An entry that the server refused, kept for support: a lost device's sync errors are not lost with it. */
export interface RefusedEntry {
  /** Whose entry it was. */
  readonly user: string;
  /** The device's store. */
  readonly store: string;
  /** Its upload number in that store (rule C2). */
  readonly number: number;
  /** Server time of the refusal, in milliseconds since 1970. */
  readonly refusedAt: number;
  /** When the user saved, by the device's clock, in milliseconds since 1970: a label. */
  readonly savedAt: number;
  /** What kind of refusal it was (rule A26). */
  readonly class: RefusalClass;
  /** A host's own code from a hook, or the class again. */
  readonly code: string;
  /** What the user reads. */
  readonly message: string;
  /** Index of the change that was refused. */
  readonly member: number;
  /** The fields concerned. */
  readonly fields: readonly string[];
  /** What the entry would have written, in order. */
  readonly changes: readonly EntryChange[];
  /** The values of later changes were left out because the entry is over 256 KiB, or changes beyond the first 2 000. */
  readonly isCut: boolean;
}

/** Which refused entries to list. */
export interface RefusedQuery {
  /** @defaultValue 'default' */
  readonly tenant?: string;
  /** @defaultValue everybody's */
  readonly user?: string;
  /** The most to return. @defaultValue 100 */
  readonly limit?: number;
  /** Goes on behind this one: the last of the page before. @defaultValue from the newest */
  readonly after?: Pick<RefusedEntry, 'user' | 'store' | 'number' | 'refusedAt'>;
}

/** What a host's support can see of its users' uploads. Devices never see it. */
export interface SupportDesk {
  /** Lists refused entries of the last thirty days, newest first. */
  listRefused(query?: RefusedQuery): Promise<readonly RefusedEntry[]>;
}

/** Whose entry was refused. */
export interface RefusedUpload {
  readonly user: string;
  readonly store: string;
  readonly number: number;
  readonly savedAt: number;
  readonly span: EntrySpan;
}

/** Keeps a refusal for support, in the transaction that decides it. */
export async function keepRefused(transaction: StoreTransaction, upload: RefusedUpload, refusal: EntryRefusal, now: number): Promise<void> {
  const { user, store, number, savedAt, span } = upload;
  const { changes, isCut } = plainChanges(span);
  const { class: refusalClass, code, message, member, fields } = refusal;
  const body = encodeEnvelope({ store, number, savedAt, class: refusalClass, code, message, member, fields, changes, isCut });
  await transaction.putFact({ kind: FACT_KINDS.refused, key: keyOf(upload), user, createdAt: now, body });
}

/** Makes a {@link SupportDesk}. */
export function createSupportDesk(store: ServerStore, now: () => number): SupportDesk {
  return {
    async listRefused({ tenant = DEFAULT_TENANT, user, limit = 100, after } = {}) {
      const facts = await store.read(tenant, (view) =>
        view.listFacts(FACT_KINDS.refused, {
          order: 'newest',
          limit,
          ...(user === undefined ? {} : { user }),
          ...(after === undefined ? {} : { beyond: { createdAt: after.refusedAt, key: keyOf(after) } }),
        }),
      );
      // Nothing is pruned while nobody uploads.
      return facts.filter(({ createdAt }) => createdAt >= now() - REFUSED_RETENTION_MS).map(readRefused);
    },
  };
}

function keyOf({ user, store, number }: Pick<RefusedEntry, 'user' | 'store' | 'number'>): string {
  return factKey(user, store, number);
}

/** Written by this server, so what it says of itself is so. */
function readRefused({ user, createdAt, body }: Fact): RefusedEntry {
  return { ...(decodeEnvelope(body) as Omit<RefusedEntry, 'user' | 'refusedAt'>), user, refusedAt: createdAt };
}

function plainChanges({ table, layouts, start, count }: EntrySpan): Pick<RefusedEntry, 'changes' | 'isCut'> {
  let bytes = 0;
  const changes = Array.from({ length: Math.min(count, MOST_CHANGES) }, (_, index): EntryChange => {
    const at = start + index;
    const layout = layouts[table.layout(at)]!, mask = table.mask(at), previous = table.previous(at), next = table.next(at);
    const head = { object: layout.object, id: table.id(at), op: table.op(at) };
    bytes += (previous?.length ?? 0) + (next?.length ?? 0);
    if (bytes > MOST_VALUE_BYTES) return { ...head, previous: {}, next: {} };
    if (mask === null) return { ...head, previous: {}, next: next === null ? {} : withoutNothing(decodeRow(layout, next)) };
    const pick = (values: Uint8Array | null): Record<string, FieldValue> => {
      const cells = values === null ? [] : splitRow(values);
      return Object.fromEntries(
        maskPositions(mask).flatMap((position, slot) => {
          const { name, type } = layout.fields[position]!;
          return values === null ? [] : [[name, decodeValue(type, cells[slot] ?? NO_VALUE)]];
        }),
      );
    };
    return { ...head, previous: pick(previous), next: pick(next) };
  });
  return { changes, isCut: bytes > MOST_VALUE_BYTES || count > MOST_CHANGES };
}

/** A create has a whole row: fields without a value say nothing. */
function withoutNothing(values: Readonly<Record<string, FieldValue>>): Record<string, FieldValue> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== null));
}
