import type { DeviceCore, ImageTable } from '../../core/core.ts';
import { encodeEnvelope } from '../../protocol/envelope.ts';
import type { Layout } from '../../protocol/layout.ts';
import {
  CONTENT_TYPE,
  formatCursor,
  HEADERS,
  PATHS,
  type AnswerHead,
  type FeedAnswer,
  type FeedCursor,
  type HelloAnswer,
  type RecordAnswer,
  type SnapshotAnswer,
  type SnapshotKey,
  type UploadAnswer,
  type UploadRequest,
  type WireLayout,
} from '../../protocol/messages.ts';
import { parseFeedAnswer, parseHelloAnswer, parseRecordAnswer, parseSnapshotAnswer, parseUploadAnswer } from '../../protocol/parse.ts';
import { parseLayouts } from '../../protocol/wire-layout.ts';
import { PROTOCOL_VERSION } from '../../protocol/version.ts';
import type { Clock } from '../../shared/clock.ts';
import { isFault, SyncFault } from '../../shared/fault.ts';
import { createId } from '../../shared/ids.ts';
import type { Random } from '../../shared/random.ts';
import { readAnswer, readPollAnswer, type ExpectedAnswer, type PollAnswer } from '../../transport/answer.ts';
import type { TransportAdapter, TransportRequest, TransportResponse } from '../../transport/transport-adapter.ts';
import { keyOf, type Key } from '../store/record-key.ts';
import type { HeldImage } from '../store/rows.ts';
import type { StagedParts } from '../store/stored.ts';
import type { ClientRules } from '../rules.ts';

export interface ServerLinkOptions {
  readonly transport: TransportAdapter;
  readonly core: DeviceCore;
  readonly clock: Clock;
  readonly random: Random;
  readonly rules: Pick<ClientRules, 'isAnswerTo'>;
  /** Aborts whatever is under way when the client closes. */
  readonly signal: AbortSignal;
}

/** The records of an answer, validated. */
export interface AnswerImages {
  readonly layouts: readonly Layout[];
  /** Where they lie in the answer. */
  readonly table: ImageTable;
  /** The record of each image. */
  readonly keys: readonly Key[];
  image(index: number): HeldImage;
  /** The images at some places, by record. @throws {@link SyncFault} `TRANSPORT_BAD_ANSWER` for a place that does not exist */
  byKey(indices: readonly number[]): Map<Key, HeldImage>;
}

/**
 * Asks the server, and believes nothing: an answer counts only when it is ours, echoes the attempt, parses, and its rows are canonical.
 * It neither retries nor decides.
 */
export class ServerLink {
  readonly #options: ServerLinkOptions;

  constructor(options: ServerLinkOptions) {
    this.#options = options;
  }

  async hello(store: string): Promise<HelloAnswer> {
    return readAnswer(...(await this.#ask(store, PATHS.hello, parseHelloAnswer)));
  }

  async upload(request: Omit<UploadRequest, 'protocol' | 'attempt'>): Promise<UploadAnswer> {
    return readAnswer(...(await this.#ask(request.store, PATHS.upload, parseUploadAnswer, request)));
  }

  /** Gives numbers up, unless the server has decided on them already (rule C2). */
  async void(store: string, numbers: readonly number[]): Promise<UploadAnswer> {
    return readAnswer(...(await this.#ask(store, PATHS.void, parseUploadAnswer, { store, numbers })));
  }

  /**
   * Reads the feed from a cursor; without one, from its oldest entry. Says on the way what this device still has to send (rule A3).
   *
   * @param part - the parts of the next transaction that are here: what follows them is asked for
   */
  async feed(store: string, cursor: FeedCursor | null, pending: string, part: Pick<StagedParts, 'revision' | 'next'> | null = null): Promise<PollAnswer<FeedAnswer>> {
    const query = [...(cursor === null ? [] : [`cursor=${formatCursor(cursor)}`]), ...(part === null || part.next === null ? [] : [`revision=${encodeURIComponent(part.revision)}&${keyQuery(part.next)}`])];
    const path = query.length === 0 ? PATHS.feed : `${PATHS.feed}?${query.join('&')}`;
    return readPollAnswer(...(await this.#ask(store, path, parseFeedAnswer, undefined, { [HEADERS.pending]: pending })));
  }

  async snapshot(store: string, after: SnapshotKey | null): Promise<SnapshotAnswer> {
    return readAnswer(...(await this.#ask(store, after === null ? PATHS.snapshot : `${PATHS.snapshot}?${keyQuery(after)}`, parseSnapshotAnswer)));
  }

  async record(store: string, key: SnapshotKey): Promise<RecordAnswer> {
    return readAnswer(...(await this.#ask(store, `${PATHS.record}?${keyQuery(key)}`, parseRecordAnswer)));
  }

  /** Whether there is a way to hear hints. */
  get canHearHints(): boolean {
    return this.#options.transport.hints !== undefined;
  }

  /** Listens for hints until the server ends the stream. */
  async hints(store: string, signal: AbortSignal, onHint: () => void): Promise<void> {
    const { transport } = this.#options;
    const { headers, expected } = this.#begin(store, () => { throw badAnswer('it is no stream of hints'); });
    const request: TransportRequest = { method: 'GET', path: PATHS.hints, headers: { ...headers, accept: 'text/event-stream' }, signal };
    const response = await transport.hints?.(request, onHint);
    if (response !== null && response !== undefined) readAnswer(response, expected);
  }

  /** Validates the records of an answer. @throws {@link SyncFault} `TRANSPORT_BAD_ANSWER` */
  images(answer: ImagesOnWire): AnswerImages {
    return readImages(this.#options.core, answer);
  }

  /** Makes a request: what came back, and what the answer to it looks like. */
  async #ask<Message extends AnswerHead>(
    store: string,
    path: string,
    parse: (envelope: unknown) => Message,
    message?: object,
    more?: Readonly<Record<string, string>>,
  ): Promise<[TransportResponse, ExpectedAnswer<Message>]> {
    const { transport, signal } = this.#options;
    const { headers: own, expected } = this.#begin(store, parse);
    const headers = { ...own, ...more };
    const request: TransportRequest =
      message === undefined
        ? { method: 'GET', path, headers, signal }
        : {
            method: 'POST',
            path,
            headers: { ...headers, 'content-type': CONTENT_TYPE },
            body: encodeEnvelope({ protocol: PROTOCOL_VERSION, attempt: expected.attempt, ...message }),
            signal,
          };
    try {
      return [await transport.send(request), expected];
    } catch (cause) {
      // A host's own transport may throw anything.
      throw isFault(cause) ? cause : new SyncFault('TRANSPORT_UNREACHABLE', 'the request did not get through', { cause });
    }
  }

  /** What each attempt carries, and what its answer echoes. */
  #begin<Message extends AnswerHead>(store: string, parse: (envelope: unknown) => Message): { readonly headers: Readonly<Record<string, string>>; readonly expected: ExpectedAnswer<Message> } {
    const { core, clock, random, rules } = this.#options;
    const attempt = createId(clock, random);
    return {
      headers: { accept: CONTENT_TYPE, [HEADERS.protocol]: String(PROTOCOL_VERSION), [HEADERS.store]: store, [HEADERS.attempt]: attempt },
      expected: { store, attempt, scan: (bytes) => core.scanMessage(bytes).ok, ...(rules.isAnswerTo && { isEcho: rules.isAnswerTo }), parse },
    };
  }
}

interface ImagesOnWire {
  readonly layouts: readonly WireLayout[];
  readonly items: Uint8Array;
}

/** Validates records that came from a server. @throws {@link SyncFault} `TRANSPORT_BAD_ANSWER` */
export function readImages(core: DeviceCore, { layouts: wire, items }: ImagesOnWire): AnswerImages {
  const layouts = parseLayouts(wire);
  const table = core.readImages(items, layouts);
  if (!table.ok) throw badAnswer(`its records are not canonical (${table.status} at byte ${table.offset})`);
  const keys = Array.from({ length: table.count }, (_, index) => keyOf(layouts[table.layout(index)]!.object, table.id(index)));
  const image = (index: number): HeldImage => ({
    layout: layouts[table.layout(index)]!,
    version: table.version(index),
    state: table.state(index),
    // A copy: the page's bytes must not stay in memory for one row.
    row: table.row(index)?.slice() ?? null,
  });
  return {
    layouts,
    table,
    keys,
    image,
    byKey(indices) {
      if (indices.some((index) => index >= keys.length)) throw badAnswer('it points to a record that it does not hold');
      return new Map(indices.map((index) => [keys[index]!, image(index)]));
    },
  };
}

/** An answer that came, and cannot be trusted. */
export function badAnswer(problem: string): SyncFault {
  return new SyncFault('TRANSPORT_BAD_ANSWER', `the answer does not count: ${problem}`);
}

function keyQuery({ object, id }: SnapshotKey): string {
  return `object=${encodeURIComponent(object)}&id=${encodeURIComponent(id)}`;
}
