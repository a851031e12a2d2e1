import { encodeEnvelope } from '../../src/protocol/envelope.ts';
import { encodeImages, type Image } from '../../src/protocol/items.ts';
import { layoutsOf } from '../../src/protocol/layout.ts';
import { CONTENT_TYPE, HEADERS, type FeedAnswer, type WireGroup } from '../../src/protocol/messages.ts';
import { encodeRow } from '../../src/protocol/row.ts';
import { wireLayout } from '../../src/protocol/wire-layout.ts';
import { defineSchema, json, number, parent, type FieldValue } from '../../src/schema.ts';
import { readAll } from '../support/real-data.ts';
import type { Intercept } from '../support/world.ts';

/** One message of a minute feed: a whole record, nothing of what was before. */
interface Message {
  readonly object: 'node' | 'way' | 'relation';
  readonly id: string;
  readonly version: number;
  readonly op: 'create' | 'update' | 'delete';
  readonly record?: Readonly<Record<string, FieldValue>>;
}

/**
 * A way leads the nodes that it is drawn through: without one of them it has another shape. A node that several ways share belongs to the
 * first of them, as a record is in one group; what a relation names are plain references.
 */
export const osmSchema = defineSchema({
  version: 1,
  objects: {
    node: { fields: { way: parent('way', { group: true }), lat: number(), lon: number(), tags: json() } },
    way: { fields: { nodes: json(), tags: json() } },
    relation: { fields: { members: json(), tags: json() } },
  },
});

/** A record as a page brings it. */
export interface MinuteRecord {
  readonly object: string;
  readonly id: string;
  readonly version: number;
  readonly values: Readonly<Record<string, FieldValue>> | null;
}

/** A way with its nodes. */
export interface MinuteWay {
  readonly id: string;
  /** Records of the feed, the way itself among them. */
  readonly members: readonly MinuteRecord[];
  /** Nodes that the feed only refers to: they must be on the device. */
  readonly elsewhere: readonly string[];
}

/** A minute feed: each record once, as it is at its end. */
export interface Minute {
  readonly records: readonly MinuteRecord[];
  readonly ways: readonly MinuteWay[];
}

export async function readMinute(file: string): Promise<Minute> {
  const newest = new Map<string, Message>();
  for (const message of await readAll<Message>(file)) {
    const key = `${message.object}/${message.id}`;
    if ((newest.get(key)?.version ?? 0) <= message.version) newest.set(key, message);
  }
  const wayOf = new Map<string, string>();
  const elsewhere = new Map<string, string[]>();
  for (const { object, id, op, record } of newest.values()) {
    if (object !== 'way' || op === 'delete') continue;
    elsewhere.set(id, []);
    for (const node of new Set((record?.nodes ?? []) as string[])) {
      if (wayOf.has(node)) continue;
      wayOf.set(node, id);
      const message = newest.get(`node/${node}`);
      if (message === undefined) elsewhere.get(id)!.push(node);
      else if (message.op === 'delete') wayOf.delete(node);
    }
  }
  const records = [...newest.values()].map((message) => recordOf(message, wayOf.get(message.id) ?? null));
  const members = new Map<string, MinuteRecord[]>([...elsewhere.keys()].map((id) => [id, []]));
  for (const record of records) members.get(record.object === 'way' ? record.id : String(record.values?.way ?? ''))?.push(record);
  return { records, ways: [...members].map(([id, own]) => ({ id, members: own, elsewhere: elsewhere.get(id)! })) };
}

function recordOf({ object, id, version, op, record = {} }: Message, way: string | null): MinuteRecord {
  if (op === 'delete') return { object, id, version, values: null };
  const tags = Object.fromEntries(Object.entries(record).filter(([name]) => name.startsWith('tag.')).map(([name, value]) => [name.slice('tag.'.length), value]));
  const rest = Object.fromEntries(Object.entries(record).filter(([name]) => !name.startsWith('tag.')));
  return { object, id, version, values: { ...rest, ...(object === 'node' ? { way } : {}), tags } };
}

/** A node that was there before the minute, of no way yet. */
export function oldNode(id: string): MinuteRecord {
  return { object: 'node', id, version: 1, values: { way: null, lat: 1, lon: 2 } };
}

const layouts = [...layoutsOf(osmSchema).values()];

/**
 * A feed that is written by hand: each page is one save, with some of the records of the ways that it touches. Of the rest it says that the
 * device must hold them.
 */
export class MinuteFeed {
  readonly #pages: (readonly MinuteRecord[])[] = [];
  readonly #wayOf = new Map<string, MinuteWay>();

  constructor({ ways }: Minute) {
    for (const way of ways) for (const record of way.members) this.#wayOf.set(nameOf(record), way);
  }

  add(page: readonly MinuteRecord[]): void {
    this.#pages.push(page);
  }

  /** Answers polls in the server's place, one page at a time. */
  readonly intercept: Intercept = async (request, send) => {
    if (!request.path.startsWith('feed')) return send(request);
    const position = Number(/\.(\d+)$/.exec(request.path)?.[1] ?? 0);
    const stamp = { time: 0, epoch: 1, head: this.#pages.length, nextPollMs: null, schema: osmSchema.hash };
    const head = { protocol: 1, store: request.headers[HEADERS.store]!, attempt: request.headers[HEADERS.attempt]!, server: stamp };
    const at = (place: number) => ({ feed: 'minute', epoch: 1, position: place });
    const next = Math.min(position + 1, this.#pages.length);
    const records = this.#pages[position] ?? [];
    const items = records.map((_, index) => index);
    const page: FeedAnswer = {
      ...head,
      layouts: layouts.map(wireLayout),
      from: at(position),
      next: at(next),
      more: next < this.#pages.length,
      gap: null,
      transactions: next === position ? [] : [{ position: next, store: 'osm', number: next, items }],
      groups: this.#groupsOf(records),
      part: null,
      outside: [],
      items: encodeImages(records.map(imageOf)),
    };
    return { status: 200, headers: { 'content-type': CONTENT_TYPE }, body: encodeEnvelope(page) };
  };

  #groupsOf(records: readonly MinuteRecord[]): WireGroup[] {
    const places = new Map(records.map((record, index) => [nameOf(record), index]));
    const touched = new Set(records.flatMap((record) => this.#wayOf.get(nameOf(record)) ?? []));
    return [...touched].map(({ id, members, elsewhere }) => ({
      object: 'way',
      id,
      members: members.flatMap((record) => places.get(nameOf(record)) ?? []),
      others: [
        ...members.filter((record) => !places.has(nameOf(record))).map((record) => ({ object: record.object, id: record.id, epoch: 1, n: record.version })),
        ...elsewhere.map((node) => ({ object: 'node', id: node, epoch: 1, n: 1 })),
      ],
    }));
  }
}

export function nameOf({ object, id }: Pick<MinuteRecord, 'object' | 'id'>): string {
  return `${object}/${id}`;
}

function imageOf({ object, id, version, values }: MinuteRecord): Image {
  const layout = layouts.findIndex((known) => known.object === object);
  const row = values === null ? null : encodeRow(layouts[layout]!, Object.fromEntries(layouts[layout]!.fields.map(({ name }) => [name, values[name] ?? null])));
  return { layout, id, version: [1, version], state: values === null ? 'deleted' : 'live', row };
}
