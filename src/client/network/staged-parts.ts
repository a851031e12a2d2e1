import { decodeEnvelope } from '../../protocol/envelope.ts';
import type { RecordAnswer } from '../../protocol/messages.ts';
import { headerOf, readAround } from '../answers/around.ts';
import type { EngineContext } from '../engine-context.ts';
import { keyOf, type Key } from '../store/record-key.ts';
import type { HeldImage } from '../store/rows.ts';
import { orderedKey, STATE } from '../store/stored.ts';
import { readImages, type AnswerImages } from './server-link.ts';

/** What is kept of one part until all of them are here. */
export interface PartContent extends Pick<RecordAnswer, 'layouts' | 'items' | 'groups' | 'outside'> {
  /** Server time at which it came. */
  readonly time: number;
}

/** One part, and who leads the groups of its records. */
export interface StagedPart {
  readonly content: PartContent;
  readonly images: AnswerImages;
  readonly bases: ReadonlyMap<Key, HeldImage>;
  readonly headers: ReadonlyMap<Key, Key>;
}

/** Looks at all parts, of which only one is in memory at a time. */
export async function eachPart(context: EngineContext, look: (part: StagedPart) => void): Promise<void> {
  const { place } = context.store.meta.part!;
  for (let index = 0; index <= place; index++) look((await readPart(context, index))!);
}

/** Reads one part; `null` where it was applied before. */
export async function readPart(context: EngineContext, place: number): Promise<StagedPart | null> {
  const { store, core } = context;
  const bytes = await store.readState(orderedKey(STATE.part, place));
  if (bytes === null) return null;
  const content = decodeEnvelope(bytes) as PartContent;
  const items = new Uint8Array(content.items.buffer, content.items.byteOffset, content.items.byteLength);
  const images = readImages(core, { ...content, items });
  const others = content.groups.flatMap((group) => [keyOf(group.object, group.id), ...group.others.map((other) => keyOf(other.object, other.id))]);
  const bases = await readAround(context, others, new Map(images.keys.map((key, index) => [key, images.image(index)])));
  const headers = new Map(content.groups.flatMap(({ object, id, members }) => members.map((index) => [images.keys[index]!, keyOf(object, id)] as const)));
  return { content: { ...content, items }, images, bases, headers };
}

/** Who leads the group of a record: what is hidden is where it was. */
export function leaderOf({ places }: Pick<EngineContext, 'places'>, { headers, bases }: StagedPart, key: Key): Key {
  return headers.get(key) ?? headerOf(places, key, (other) => bases.get(other) ?? null);
}
