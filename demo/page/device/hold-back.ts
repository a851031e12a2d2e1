/**
 * Runs in a device's worker: takes one order line out of the pages of the feed, as if it had not been delivered yet, and brings it late.
 * A page that lacks the line says so itself: the line stands among what the device must hold of the group.
 */
import { createTwinCore } from '../../../src/core/twin.ts';
import { decodeEnvelope, encodeEnvelope } from '../../../src/protocol/envelope.ts';
import { encodeImages, type Image } from '../../../src/protocol/items.ts';
import { CONTENT_TYPE, HEADERS, parseCursor, type FeedAnswer, type WireGroup, type WireHeader, type WireLayout } from '../../../src/protocol/messages.ts';
import { parseLayouts } from '../../../src/protocol/wire-layout.ts';

const LINE = 'orderLine';

/** What becomes of the answers to polls. */
export interface LineHolder {
  /** Whether a line is held back; once it no longer is, it comes with the next answer that brings nothing else. */
  isHolding: boolean;
  pass(url: URL, response: Response): Promise<Response>;
}

interface HeldLine {
  readonly id: string;
  readonly image: Image;
  readonly layout: WireLayout;
  readonly groups: readonly WireGroup[];
}

export function createLineHolder(): LineHolder {
  const core = createTwinCore();
  let held: HeldLine | null = null;

  function imagesOf({ layouts, items }: FeedAnswer): readonly Image[] {
    const table = core.readImages(items, parseLayouts(layouts));
    if (!table.ok) return [];
    return Array.from({ length: table.count }, (_, index) => ({ layout: table.layout(index), id: table.id(index), version: table.version(index), state: table.state(index), row: table.row(index) }));
  }

  /** The page without the line that is held back: the one of before, or else the last that it has. */
  function withoutLine(page: FeedAnswer): FeedAnswer {
    const images = imagesOf(page);
    const layouts = parseLayouts(page.layouts);
    const objectOf = ({ layout }: Image): string => layouts[layout]!.object;
    const isLine = (image: Image): boolean => objectOf(image) === LINE && (held === null ? image.state === 'live' : image.id === held.id);
    const taken = images.findLastIndex(isLine);
    const image = images[taken];
    if (image === undefined) return page;
    const headerOf = (index: number): WireHeader => ({ object: objectOf(images[index]!), id: images[index]!.id, epoch: images[index]!.version[0], n: images[index]!.version[1] });
    const placesOf = (indices: readonly number[]): number[] => indices.flatMap((index) => (index === taken ? [] : [index > taken ? index - 1 : index]));
    const around = page.groups.filter(({ members }) => members.includes(taken));
    held = {
      id: image.id,
      image: { ...image, layout: 0, row: image.row?.slice() ?? null },
      layout: page.layouts[image.layout]!,
      groups: around.map((group) => ({ ...group, members: [0], others: [...group.others, ...group.members.filter((index) => index !== taken).map(headerOf)] })),
    };
    return {
      ...page,
      items: encodeImages(images.filter((_, index) => index !== taken)),
      transactions: page.transactions.map((transaction) => ({ ...transaction, items: placesOf(transaction.items) })),
      outside: placesOf(page.outside),
      groups: page.groups.map((group) => ({ ...group, members: placesOf(group.members), others: group.members.includes(taken) ? [...group.others, headerOf(taken)] : group.others })),
    };
  }

  /** The line by itself, at the place of the feed where the device is. */
  function latePage(url: URL, { headers }: Response, { image, layout, groups }: HeldLine): FeedAnswer | null {
    const at = parseCursor(url.searchParams.get('cursor') ?? '');
    const text = (name: string): string => headers.get(name) ?? '';
    const number = (name: string): number => Number(text(name));
    if (at === null) return null;
    const nextPollMs = headers.has(HEADERS.nextPoll) ? number(HEADERS.nextPoll) : null;
    return {
      protocol: number(HEADERS.protocol),
      store: text(HEADERS.store),
      attempt: text(HEADERS.attempt),
      server: { time: number(HEADERS.time), epoch: number(HEADERS.epoch), head: number(HEADERS.head), nextPollMs, schema: text(HEADERS.schema) },
      layouts: [layout],
      from: at,
      next: at,
      more: false,
      gap: null,
      transactions: [],
      groups,
      part: null,
      outside: [],
      items: encodeImages([image]),
    };
  }

  const holder: LineHolder = {
    isHolding: false,
    async pass(url, response) {
      if (!url.pathname.endsWith('/feed')) return response;
      if (holder.isHolding && response.status === 200) {
        const page = decodeEnvelope(new Uint8Array(await response.clone().arrayBuffer())) as FeedAnswer;
        return page.part === null ? responseOf(withoutLine(page)) : response;
      }
      if (holder.isHolding || held === null || response.status !== 204) return response;
      const late = latePage(url, response, held);
      if (late === null) return response;
      held = null;
      return responseOf(late);
    },
  };
  return holder;
}

function responseOf(page: FeedAnswer): Response {
  return new Response(encodeEnvelope(page) as Uint8Array<ArrayBuffer>, { status: 200, headers: { 'content-type': CONTENT_TYPE } });
}
