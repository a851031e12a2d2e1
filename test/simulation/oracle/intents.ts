import type { FieldValue } from '../../../src/schema.ts';
import type { Values } from '../crm.ts';
import { isSame, sameValues } from './online-history.ts';
import type { SavedMember } from './saves.ts';

/** One record of a call that saves; `id` is `null` where the device makes it. */
export interface IntendedChange {
  readonly op: 'create' | 'update' | 'remove';
  readonly object: string;
  readonly id: string | null;
  readonly values: Readonly<Record<string, FieldValue>>;
  /** What a form shows that the change is made in, as it is when the change is made. */
  readonly form?: () => Values;
}

/** What the user asked a device to do, and was not yet told to be done. */
export type Intent =
  | { readonly kind: 'save'; readonly changes: readonly IntendedChange[] }
  /** A delete that waits is to be taken back. */
  | { readonly kind: 'restore' }
  /** Something is to become of a draft; `null` for one that is not open yet. */
  | { readonly kind: 'draft:open' | 'draft:change' | 'draft:save' | 'draft:discard'; readonly draft: string | null }
  /** Something is to become of a sync error; `values` are those of a fix. */
  | { readonly kind: 'resolve'; readonly action: string; readonly entry: number | 'all'; readonly values?: Values };

/** The calls of one device that are under way: nothing is queued, joined or given up unless somebody asked for it. */
export class Intents {
  readonly #open = new Set<Intent>();

  /** Notes a call; the answer ends it. */
  begin(intent: Intent): () => void {
    this.#open.add(intent);
    return () => void this.#open.delete(intent);
  }

  /** The device's process is gone, and its calls with it. */
  forget(): void {
    this.#open.clear();
  }

  /** Whether somebody asked for exactly this save. */
  hasSave(members: readonly SavedMember[]): boolean {
    return this.#saves().some((changes) => isAskedFor(members, changes));
  }

  /** Whether somebody asked for a single change that makes this of a record. */
  hasChange(key: string, before: Values | null, after: Values | null, drafted: readonly IntendedChange[]): boolean {
    const single = [...this.#saves().filter(({ length }) => length === 1).flat(), ...drafted];
    return single.some((change) => `${change.object}/${change.id}` === key && [change, inForm(change)].some((made) => sameValues(after, applyChange(before, made))));
  }

  /** Whether a draft that is saved holds all of this, in this or another of its entries. */
  static isDrafted(members: readonly SavedMember[], drafted: readonly IntendedChange[]): boolean {
    return members.every((member) => drafted.some((change) => isChange(member, change)) || (member.op === 'remove' && drafted.some(({ op }) => op === 'remove')));
  }

  /** What the user decided about a sync error, if anything. */
  resolution(seq: number): Extract<Intent, { kind: 'resolve' }> | null {
    for (const intent of this.#open) if (intent.kind === 'resolve' && (intent.entry === 'all' || intent.entry === seq)) return intent;
    return null;
  }

  /** Whether a call is under way that takes something back, or gives records new ids. */
  has(...actions: readonly string[]): boolean {
    return [...this.#open].some((intent) => actions.includes(intent.kind === 'resolve' ? intent.action : intent.kind));
  }

  /** Whether a call is under way that works on a draft. */
  hasDraft(draft: string, ...kinds: readonly string[]): boolean {
    return [...this.#open].some((intent) => 'draft' in intent && kinds.includes(intent.kind) && (intent.draft === null || intent.draft === draft));
  }

  /** What the forms show in which a record is being changed. */
  formsOf(key: string): readonly Values[] {
    return this.#saves().flat().flatMap(({ object, id, form }) => (form !== undefined && `${object}/${id}` === key ? [form()] : []));
  }

  #saves(): (readonly IntendedChange[])[] {
    return [...this.#open].flatMap((intent) => (intent.kind === 'save' ? [intent.changes] : []));
  }
}

function isAskedFor(members: readonly SavedMember[], changes: readonly IntendedChange[]): boolean {
  const left = [...changes];
  for (const member of members) {
    const place = left.findIndex((change) => isChange(member, change));
    if (place >= 0) left.splice(place, 1);
    // A group goes as a whole.
    else if (member.op !== 'remove' || !changes.some(({ op, object }) => op === 'remove' && object !== member.object)) return false;
  }
  // An edit that changes nothing makes no member.
  return left.every(({ op }) => op === 'update');
}

function isChange({ op, object, id, fields }: SavedMember, change: IntendedChange): boolean {
  if (op !== change.op || object !== change.object || (change.id !== null && id !== change.id)) return false;
  if (op === 'remove') return true;
  for (const [field, { next }] of fields) if (!isSame(next, change.values[field])) return false;
  return true;
}

/** Who saves through a form what the form shows has changed nothing there, whatever the record is by now. */
export function inForm(change: IntendedChange): IntendedChange {
  const shown = change.op === 'update' ? change.form?.() : undefined;
  if (shown === undefined) return change;
  return { ...change, values: Object.fromEntries(Object.entries(change.values).filter(([name, value]) => !isSame(shown[name], value))) };
}

function applyChange(values: Values | null, change: IntendedChange): Values | null {
  if (change.op === 'remove') return null;
  return change.op === 'create' ? change.values : values && { ...values, ...change.values };
}
