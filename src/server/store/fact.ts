import { compareIds } from './server-store.ts';

/** Something that the server remembers beside records: a submission, what was overwritten, a refusal, a revoked device. */
export interface Fact {
  /** What sort of fact it is. A tenant has one fact of each kind and key. */
  readonly kind: string;
  /** Names it within its kind; never empty, never with U+0000. */
  readonly key: string;
  /** The user it is about. */
  readonly user: string;
  /** Server time, in milliseconds since 1970. */
  readonly createdAt: number;
  /** What there is to know: opaque to the store, given back byte for byte. */
  readonly body: Uint8Array;
}

/** Where a fact stands among those of its kind: by time, then by its key's UTF-8 bytes. */
export type FactPlace = Pick<Fact, 'createdAt' | 'key'>;

/** Which facts of a kind to list. */
export interface FactQuery {
  /** Only those about this user. @defaultValue everybody's */
  readonly user?: string;
  /** `oldest` first or `newest` first; facts of the same time in the order of their keys, or in its reverse. @defaultValue 'oldest' */
  readonly order?: 'oldest' | 'newest';
  /** Goes on behind this place, in the order asked for; a fact need not stand there any more. @defaultValue from the beginning */
  readonly beyond?: FactPlace;
  /** The most to return. */
  readonly limit: number;
}

/** Makes the key of a fact from texts of any kind, U+0000 included; different texts make different keys. */
export function factKey(...parts: readonly (string | number)[]): string {
  return JSON.stringify(parts);
}

/** Orders facts of one kind: oldest first. */
export function comparePlaces(left: FactPlace, right: FactPlace): number {
  return left.createdAt - right.createdAt || compareIds(left.key, right.key);
}
