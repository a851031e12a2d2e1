import { decodeEnvelope } from '../../src/protocol/envelope.ts';
import type { FeedPart, SnapshotKey } from '../../src/protocol/messages.ts';
import { parseFeedAnswer } from '../../src/protocol/parse.ts';
import type { SyncRequest, SyncResponse } from '../../src/server/sync-request.ts';

type Exchange = (request: SyncRequest) => Promise<SyncResponse | null>;

/**
 * A server that has lost count of what it sends in parts: it goes on with what the records are now, at the place where the device is, in place
 * of the first part of that. The device has to see that it is of another revision.
 */
export class MixedParts {
  /** The place of each part that was sent, by its revision and last key. */
  readonly #places = new Map<string, number>();

  /** Takes an answer to a poll; answers the part to send in its place, or `null` where it is right. */
  async take(request: SyncRequest, response: SyncResponse, exchange: Exchange): Promise<SyncResponse | null> {
    const begun = this.#partOf(response);
    if (begun === null) return null;
    const { revision = '', object = '', id = '' } = request.query;
    const before = this.#places.get(nameOf(revision, { object, id }));
    if (before === undefined || begun.revision === revision) return null;
    for (let part = begun; part.next !== null; ) {
      const next = await exchange({ ...request, query: { ...request.query, revision: part.revision, object: part.next.object, id: part.next.id } });
      const following = next === null ? null : this.#partOf(next);
      // Something changes all the time.
      if (following === null || following.revision !== begun.revision) return null;
      if (following.place === before + 1) return next;
      part = following;
    }
    return null;
  }

  #partOf({ status, body }: SyncResponse): FeedPart | null {
    const part = status === 200 && body !== null ? parseFeedAnswer(decodeEnvelope(body)).part : null;
    if (part !== null && part.next !== null) this.#places.set(nameOf(part.revision, part.next), part.place);
    return part;
  }
}

function nameOf(revision: string, { object, id }: SnapshotKey): string {
  return `${revision} ${object}/${id}`;
}
