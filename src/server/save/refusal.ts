import type { RefusalClass } from '../../protocol/messages.ts';

/** Why an entry is refused, before anybody looks up what to show with it. */
export interface EntryRefusal {
  readonly class: RefusalClass;
  readonly code: string;
  readonly message: string;
  /** Index of the member in its entry. */
  readonly member: number;
  readonly fields: readonly string[];
}

/** Rolls an entry back because it is refused. */
export class EntryRefused extends Error {
  readonly refusal: EntryRefusal;

  constructor(refusal: EntryRefusal) {
    super(refusal.message);
    this.name = 'EntryRefused';
    this.refusal = refusal;
  }
}

/** Longer ones are of no use to a user, and a device reads no answer that holds one. */
const LONGEST_MESSAGE = 2_000;

/** Makes a refusal whose code is its class. A message is cut where it grows with the entry. */
export function createRefusal(
  refusalClass: RefusalClass,
  member: number,
  message: string,
  { fields = [], code = refusalClass }: { readonly fields?: readonly string[]; readonly code?: string } = {},
): EntryRefusal {
  return { class: refusalClass, code, message: cut(message), member, fields };
}

/** Refuses a reference to a record that does not exist, or that the user may not see: the two are answered alike. */
export function missingReference(member: { readonly index: number; readonly object: string }, { name, target }: { readonly name: string; readonly target: string }): EntryRefused {
  return new EntryRefused(createRefusal('missing-reference', member.index, `${member.object}.${name} names a ${target} that does not exist`, { fields: [name] }));
}

function cut(message: string): string {
  if (message.length <= LONGEST_MESSAGE) return message;
  return `${message.slice(0, LONGEST_MESSAGE - 1).replace(/\p{Surrogate}$/u, '')}…`;
}

/** The host's own logic failed or took too long: nothing is decided, the device sends the entry again. */
export class EntryDelayed extends Error {
  constructor(message: string, cause: unknown) {
    super(message, { cause });
    this.name = 'EntryDelayed';
  }
}
