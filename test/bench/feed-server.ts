import { decodeEnvelope, encodeEnvelope } from '../../src/protocol/envelope.ts';
import { encodeImages, type Image } from '../../src/protocol/items.ts';
import { layoutsOf, type Layout } from '../../src/protocol/layout.ts';
import type { FeedAnswer, WireGroup } from '../../src/protocol/messages.ts';
import { encodeRow } from '../../src/protocol/row.ts';
import { wireLayout } from '../../src/protocol/wire-layout.ts';
import { boolean, date, dateTime, decimal, defineSchema, integer, multiPicklist, number, parent, picklist, reference, text, type Field } from '../../src/schema.ts';
import { createSyncServer } from '../../src/server/index.ts';
import { memory } from '../../src/server/store/memory.ts';
import { inProcess } from '../../src/transport/in-process.ts';
import type { TransportAdapter, TransportRequest, TransportResponse } from '../../src/transport/transport-adapter.ts';
import { CRM_LAYOUT, WORDS } from './crm-rows.ts';
import type { FeedData, FeedRecord } from './feed-data.ts';

const MAKERS = { text, integer, number, decimal, boolean, date, dateTime, multiPicklist: () => multiPicklist(...WORDS), picklist: () => picklist(...WORDS), reference: () => reference('order') } as const;

const fields = (): Record<string, Field> & { amount: ReturnType<typeof decimal> } => ({
  ...Object.fromEntries(CRM_LAYOUT.fields.map(({ name, type }) => [name, (MAKERS as unknown as Readonly<Record<string, () => Field>>)[type]!()])),
  amount: decimal(),
});

/** Orders by themselves, and visits with their calls: a visit is the header of a group. All have the same 20 fields, a call its visit besides. */
export const feedSchema = defineSchema({
  version: 1,
  objects: { order: { fields: fields() }, visit: { fields: fields() }, call: { fields: { ...fields(), visit: parent('visit', { group: true }) } } },
});

const OBJECTS = ['order', 'visit', 'call'] as const;

export type FeedObject = (typeof OBJECTS)[number];

/** Where a record of the batch belongs: one of a group is a visit, the other three its calls. */
export interface FeedPlaces {
  objectOf(id: string): FeedObject;
  visitOf(id: string): string | null;
}

/** Finds the visits and calls among the records of a batch; all others are orders. */
export function placesOf(data: FeedData): FeedPlaces {
  const inGroups = new Map<number, number>(), visitOf = new Map<string, string>(), header = new Map<number, string>();
  for (const [group, { members }] of data.groups().entries()) for (const member of members) inGroups.set(member, group);
  let entry = 0;
  for (const { id } of data.entries()) {
    const group = inGroups.get(entry++);
    if (group === undefined) continue;
    if (!header.has(group)) header.set(group, id);
    visitOf.set(id, header.get(group)!);
  }
  return {
    visitOf: (id) => (visitOf.get(id) === id ? null : (visitOf.get(id) ?? null)),
    objectOf: (id) => (visitOf.has(id) ? (visitOf.get(id) === id ? 'visit' : 'call') : 'order'),
  };
}

/**
 * A server with ready-made answers: pages of a download with all rows, then the feed in pages. A page has the newest it knows of a record once, as a
 * real server's; uploads are turned away for now. What else is asked, a real server answers that has no records.
 */
export function feedServer(data: FeedData, places: FeedPlaces, pageItems: number): TransportAdapter & { readonly entries: number } {
  const server = createSyncServer({ schema: feedSchema, store: memory(), authenticate: () => ({ user: 'ann' }) });
  const transport = inProcess({ handle: server.fetch, token: async () => 'ann' });
  const layouts = OBJECTS.map((object) => layoutsOf(feedSchema).get(object)!);
  const wire = layouts.map(wireLayout);
  const toImage = imageMaker(layouts, places);
  const { pages, entries } = makePages(data, places, toImage, pageItems);
  const rows = Array.from(data.rows(), toImage).sort((left, right) => left.layout - right.layout || (left.id < right.id ? -1 : 1));

  /** A real answer to a download of nothing, with other contents. */
  const answer = async (request: TransportRequest, contents: (head: FeedAnswer) => object): Promise<TransportResponse> => {
    const response = await transport.send({ ...request, path: 'snapshot' });
    const head = decodeEnvelope(response.body) as FeedAnswer;
    return { ...response, body: encodeEnvelope({ ...head, layouts: wire, ...contents(head) }) };
  };
  const download = (request: TransportRequest, after: string | null): Promise<TransportResponse> => {
    const from = after === null ? 0 : Number(after), to = Math.min(rows.length, from + 5_000);
    const last = rows[to - 1];
    return answer(request, () => ({ items: encodeImages(rows.slice(from, to)), next: to === rows.length || last === undefined ? null : { object: OBJECTS[last.layout], id: last.id } }));
  };
  const placeOf = new Map(rows.map((row, place) => [`${OBJECTS[row.layout]} ${row.id}`, place + 1]));
  return {
    entries,
    async send(request) {
      const { pathname, searchParams } = new URL(request.path, 'http://server.invalid/');
      if (pathname === '/upload') return { status: 503, headers: { 'retry-after': '3600' }, body: new Uint8Array(0) };
      if (pathname === '/snapshot') return download(request, searchParams.has('id') ? String(placeOf.get(`${searchParams.get('object')} ${searchParams.get('id')}`)) : null);
      if (pathname !== '/feed') return transport.send(request);
      const position = Number(searchParams.get('cursor')!.split('.')[2]), page = pages[position];
      if (page === undefined) return transport.send(request);
      return answer(request, (head) => {
        const from = (head as unknown as { cursor: FeedAnswer['from'] }).cursor;
        return {
          ...page,
          server: { ...head.server, head: pages.length },
          from: { ...from, position },
          next: { ...from, position: position + 1 },
          more: position + 1 < pages.length,
          gap: null,
          part: null,
          outside: [],
        };
      });
    },
  };
}

type Page = Pick<FeedAnswer, 'transactions' | 'groups' | 'items'>;

function makePages(data: FeedData, places: FeedPlaces, toImage: (record: FeedRecord) => Image, pageItems: number): { readonly pages: readonly Page[]; readonly entries: number } {
  const groups = data.groups(), groupAt = new Map(groups.map((group) => [group.members[0]!, group]));
  const pages: Page[] = [];
  let entries = 0, page = new Map<string, FeedRecord>(), manifests: (readonly [header: string, members: readonly string[], others: WireGroup['others']])[] = [], entry = -1, open = 0;
  const idsAt = new Map<number, string>();
  const close = (): void => {
    const images = [...page.values()].map(toImage), indexOf = new Map([...page.keys()].map((id, index) => [id, index]));
    const wireGroups = manifests.map(([id, members, others]): WireGroup => ({ object: 'visit', id, members: members.map((member) => indexOf.get(member)!), others }));
    pages.push({ items: encodeImages(images), transactions: [{ position: pages.length + 1, store: 'other', number: pages.length + 1, items: images.map((_, index) => index) }], groups: wireGroups });
    entries += images.length;
    page = new Map();
    manifests = [];
  };
  const waiting = new Map<number, (typeof groups)[number]>();
  for (const record of data.entries()) {
    entry++;
    page.set(record.id, record);
    idsAt.set(entry, record.id);
    const begun = groupAt.get(entry);
    if (begun !== undefined) {
      waiting.set(begun.members.at(-1)!, begun);
      open++;
    }
    const ended = waiting.get(entry);
    if (ended !== undefined) {
      open--;
      manifests.push([idsAt.get(ended.members[0]!)!, ended.members.map((member) => idsAt.get(member)!), ended.others.map(({ id, version }) => ({ object: 'call', id, epoch: 1, n: version }))]);
    }
    // A group is on one page.
    if (page.size >= pageItems && open === 0) close();
  }
  if (page.size > 0) close();
  return { pages, entries };
}

function imageMaker(layouts: readonly Layout[], { objectOf, visitOf }: FeedPlaces): (record: FeedRecord) => Image {
  return ({ id, version, values }) => {
    const layout = OBJECTS.indexOf(objectOf(id));
    return { layout, id, version: [1, version], state: 'live', row: encodeRow(layouts[layout]!, { ...values, visit: visitOf(id) }) };
  };
}
