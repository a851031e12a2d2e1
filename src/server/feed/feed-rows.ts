import type { FeedRow, StoreView } from '../store/server-store.ts';
import { readable } from './plan-poll.ts';

/** Reads on in a feed, some saves at a time: one of them may name very many records, and not all that follow fit on a page. */
export interface FeedRows {
  /** The position after which it begins: a later one than was asked for where there is a hole. */
  readonly from: number;
  /** The next saves, at most so many; none at a hole or at the end. */
  next(most: number): Promise<readonly FeedRow[]>;
}

/** Begins to read a user's feed after a position, with the first few saves. */
export async function openRows(view: Pick<StoreView, 'listFeed'>, user: string, after: number, head: number, first: number): Promise<FeedRows> {
  const begin = after === head ? { from: after, rows: [] } : readable(after, await view.listFeed(user, after, first), head);
  let ahead: readonly FeedRow[] | null = begin.rows, at = begin.from;
  return {
    from: begin.from,
    async next(most) {
      const rows = ahead ?? (await readOn(most));
      ahead = null;
      at = rows.at(-1)?.position ?? at;
      return rows.slice(0, most);
    },
  };

  async function readOn(most: number): Promise<readonly FeedRow[]> {
    if (at === head) return [];
    const { from, rows } = readable(at, await view.listFeed(user, at, most), head);
    return from === at ? rows : [];
  }
}
