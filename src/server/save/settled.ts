import { withoutHidden } from '../access/field-access.ts';
import type { ServerParts } from '../server-parts.ts';
import { isStorableId, keyText, type RecordKey, type StoreView } from '../store/server-store.ts';
import type { Principal } from '../principal.ts';
import type { ReaderImage } from '../visibility.ts';
import type { Decision, SettledOverwrite } from './receipt-codec.ts';
import type { EntryRefusal } from './refusal.ts';

/** What became of an entry, as it is answered. */
export type Settled =
  | {
      readonly outcome: 'saved';
      readonly committed: readonly ReaderImage[];
      readonly current: readonly ReaderImage[];
      readonly overwritten: readonly SettledOverwrite[];
    }
  | { readonly outcome: 'partlySaved'; readonly refusal: EntryRefusal; readonly committed: readonly ReaderImage[]; readonly current: readonly ReaderImage[] }
  | { readonly outcome: 'refused'; readonly refusal: EntryRefusal; readonly current: readonly ReaderImage[] }
  | { readonly outcome: 'discarded' | 'needsDuplicate'; readonly header: number; readonly current: readonly ReaderImage[] }
  | { readonly outcome: 'tryLater'; readonly retryAfterMs: number; readonly message: string }
  | { readonly outcome: 'copied' }
  | { readonly outcome: 'voided' };

/** What was decided, as it is answered from its receipt: with the records as this user may see them now (rule C2). */
export async function settleAgain(parts: ServerParts, principal: Principal, view: StoreView, decision: Decision): Promise<Settled> {
  switch (decision.outcome) {
    case 'voided': return decision;
    case 'refused': {
      const { outcome, refusal, records } = decision;
      return { outcome, refusal, current: await visibleNow(parts, principal, view, records) };
    }
    case 'discarded':
    case 'needsDuplicate': {
      const { outcome, header, group, records } = decision;
      return { outcome, header, current: await visibleNow(parts, principal, view, [...(await groupNow(parts, view, group)), ...records]) };
    }
    case 'saved':
    case 'partlySaved': return savedAgain(parts, principal, view, decision);
  }
}

async function savedAgain(parts: ServerParts, principal: Principal, view: StoreView, decision: Decision & { outcome: 'saved' | 'partlySaved' }): Promise<Settled> {
  const now = await parts.visibility.images(view, principal, decision.committed);
  const hidden = new Set(now.filter(({ state }) => state === 'hidden').map(keyText));
  // What was seen then and may not be seen now is not shown again, not even as it was.
  const then = (image: ReaderImage): ReaderImage => (hidden.has(keyText(image)) ? { ...image, state: 'hidden', row: null } : shownAgain(parts, principal, image));
  const asCommitted = decision.committed.map(then);
  const committed = parts.rules.committedOnRepeat(asCommitted, now), current = parts.rules.currentOnRepeat(asCommitted, now);
  if (decision.outcome === 'partlySaved') return { outcome: 'partlySaved', refusal: decision.refusal, committed, current };
  const overwritten = decision.overwritten.flatMap(({ member, fields, was }) => {
    const shown = then(was);
    const left = fields.filter((field) => shown.layout.positions.has(field));
    return left.length === 0 ? [] : [{ member, fields: left, was: shown }];
  });
  return { outcome: 'saved', committed, current, overwritten };
}

/** An image as it was sent, without the fields that its reader may not read any more (rule A20). */
function shownAgain({ schema, visibility }: ServerParts, principal: Principal, image: ReaderImage): ReaderImage {
  const type = schema.objects.get(image.object);
  // An object that the schema has no more is nobody's to say anything about; the receipt's own layout says what its reader was sent.
  if (type === undefined || image.row === null) return image;
  return { ...image, ...withoutHidden(type, visibility.fieldsOf(principal, type), image.layout, image.row) };
}

/** The records of a group as they are: the header, and all that hangs on it, level by level. */
async function groupNow({ schema }: ServerParts, view: StoreView, header: RecordKey): Promise<RecordKey[]> {
  const group = [header];
  for (let level: readonly RecordKey[] = group.slice(); level.length > 0; ) {
    const below: RecordKey[] = [];
    for (const master of new Set(level.map(({ object }) => object))) {
      const ids = level.filter(({ object }) => object === master).map(({ id }) => id);
      for (const { name, isGroup } of schema.objects.get(master)?.children ?? []) {
        if (isGroup) below.push(...(await view.childOutlines(name, ids)).map(({ id }) => ({ object: name, id })));
      }
    }
    group.push(...below);
    level = below;
  }
  return group;
}

async function visibleNow(parts: ServerParts, principal: Principal, view: StoreView, keys: readonly RecordKey[]): Promise<ReaderImage[]> {
  const each = new Map(keys.filter(({ id }) => isStorableId(id)).map((key) => [keyText(key), key]));
  const images = await parts.visibility.images(view, principal, [...each.values()]);
  return images.filter(({ state }) => state !== 'hidden');
}
