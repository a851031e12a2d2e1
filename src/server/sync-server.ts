import { createTwinCore } from '../core/twin.ts';
import { DEFAULT_LIMITS, type ProtocolLimits } from '../protocol/limits.ts';
import {
  CONTENT_TYPE,
  HEADERS,
  parseCursor,
  PATHS,
  type AnswerHead,
  type FeedAnswer,
  type HelloAnswer,
  type RecordAnswer,
  type ServerStamp,
  type SnapshotAnswer,
  type SnapshotKey,
  type UploadAnswer,
} from '../protocol/messages.ts';
import type { Schema } from '../protocol/schema.ts';
import { OLDEST_PROTOCOL_VERSION, PROTOCOL_VERSION } from '../protocol/version.ts';
import { SyncFault } from '../shared/fault.ts';
import { platformClock, platformRandom } from '../shared/platform.ts';
import { createFieldAccess } from './access/field-access.ts';
import { createAdmission } from './admission.ts';
import { answerHead, eventStreamResponse, messageResponse, nothingNewResponse } from './answer.ts';
import { assertEcho, readEcho, readLimit, type RequestEcho } from './device-request.ts';
import { createDeviceDesk, type DeviceDesk } from './device-desk.ts';
import { createDeviceRegistry } from './device-registry.ts';
import { createDeviceSightings } from './device-sightings.ts';
import { readRecord } from './download/read-record.ts';
import { readSnapshot } from './download/snapshot.ts';
import { readPart } from './feed/part.ts';
import { answerPoll, recogniseDevice, type PollDesk } from './feed/answer-poll.ts';
import { createFeedHeads } from './feed/heads.ts';
import { createLargeSaves } from './feed/large-saves.ts';
import { createHintStreams } from './hints/hint-streams.ts';
import type { Principal } from './principal.ts';
import { createPruner } from './pruner.ts';
import { createPipeline, type Endpoint } from './request-pipeline.ts';
import { createRowArchive } from './row-archive.ts';
import type { AnyObjectHooks } from './save-hooks.ts';
import { createOnlineAccess, type OnlineAccess } from './save/online.ts';
import { readUpload, settleUpload } from './save/upload.ts';
import { readVoid, voidNumbers } from './save/void.ts';
import type { ServerParts } from './server-parts.ts';
import { serverRules } from './server-rules.ts';
import { createServerSchema } from './server-schema.ts';
import { isStorableId } from './store/server-store.ts';
import { createSupportDesk, type SupportDesk } from './support/refused-entries.ts';
import type { RequestHandler, SyncRequest } from './sync-request.ts';
import type { SyncServerOptions } from './sync-server-options.ts';
import { createIdentifier } from './token-cache.ts';
import { createTurnstile } from './turnstile.ts';
import { createUnderWay } from './under-way.ts';
import { createVisibility } from './visibility.ts';

const DAY_MS = 86_400_000;

/** What polls may ask of the store at once, whatever number of them there is: its other connections are for uploads. */
const MOST_AT_ONCE = { heads: 2, pages: 4 } as const;

/** A server without a face: it answers plain requests, however they come in. */
export interface ServerCore {
  /** Answers a plain request, whatever HTTP library it came in by. It never rejects: faults become answers. */
  readonly handle: RequestHandler;
  /** The back office's way to the records. */
  readonly online: OnlineAccess;
  /** The administrator's way to the devices: which there are, what they hold, and which may not sync any more. */
  readonly devices: DeviceDesk;
  /** What support can see of uploads: the entries that were refused. */
  readonly support: SupportDesk;
  /** The most that a message may hold, as devices are told. */
  readonly limits: ProtocolLimits;
  /** Waits for the requests under way, and writes when devices were seen. The store stays open: it is the host's. */
  close(): Promise<void>;
}

/** Makes a server that answers plain requests; `createSyncServer` puts HTTP before it. */
export function createServerCore<S extends Schema>(options: SyncServerOptions<S>): ServerCore {
  const { basePath, nextPollMs = null, receiptRetentionMs = 90 * DAY_MS, auditRetentionMs = 365 * DAY_MS } = options;
  const underWay = createUnderWay();
  const parts = createParts(options, (work) => void underWay.run(() => work));
  const { schema, store, clock, log, limits, retentionMs } = parts;
  const devices = createDeviceRegistry({ store, random: parts.random });
  const sightings = createDeviceSightings({ store, clock, log });
  const pruner = createPruner({ store, clock, retentionMs, receiptRetentionMs, auditRetentionMs, log });
  const heads = createFeedHeads({ store, clock, everyMs: options.pollSharingMs ?? 4, turnstile: createTurnstile(MOST_AT_ONCE.heads) });
  const polls: PollDesk = { parts, devices, heads, largeSaves: createLargeSaves(clock), turnstile: createTurnstile(MOST_AT_ONCE.pages) };
  const onFailed = (cause: unknown): void => log({ level: 'warning', event: 'hints:failed', message: 'hints could not be sent or heard', cause });
  const hints = options.hints === undefined ? null : createHintStreams({ bus: options.hints, clock, random: parts.random, onFailed });
  let isClosed = false;

  const stamp = (epoch: number, head: number): ServerStamp => ({ time: clock.now(), epoch, head, nextPollMs, schema: schema.hash });

  async function headNow(principal: Principal, echo: RequestEcho): Promise<AnswerHead> {
    const { epoch, head } = await store.read(principal.tenant, (view) => devices.feedOf(view, principal));
    return answerHead(echo, stamp(epoch, head));
  }

  const endpoints: Record<string, Endpoint> = {
    [PATHS.hello]: {
      method: 'GET',
      kind: 'polls',
      async answer(request, principal) {
        const echo = await admitted(request, principal);
        const protocols = Array.from({ length: PROTOCOL_VERSION - OLDEST_PROTOCOL_VERSION + 1 }, (_, index) => OLDEST_PROTOCOL_VERSION + index);
        const { epoch, head } = await store.read(principal.tenant, (view) => devices.open(view, principal, echo.store));
        return messageResponse<HelloAnswer>({ ...answerHead(echo, stamp(epoch, head)), protocols, user: principal.user, limits, hints: hints !== null });
      },
    },
    [PATHS.upload]: {
      method: 'POST',
      kind: 'uploads',
      async answer(request, principal) {
        const upload = readUpload(parts, await readBody(request));
        assertEcho(upload.request);
        await letIn(principal, upload.request.store);
        const { results, images } = await settleUpload(parts, principal, upload);
        if (results.some(({ outcome }) => outcome === 'saved' || outcome === 'partlySaved')) hints?.publish(principal);
        await pruner.pruneWhenDue(principal.tenant);
        return messageResponse<UploadAnswer>({ ...(await headNow(principal, upload.request)), results, ...images.take() });
      },
    },
    [PATHS.void]: {
      method: 'POST',
      kind: 'uploads',
      async answer(request, principal) {
        const asked = readVoid(parts, await readBody(request));
        assertEcho(asked);
        await letIn(principal, asked.store);
        const { results, images } = await voidNumbers(parts, principal, asked);
        return messageResponse<UploadAnswer>({ ...(await headNow(principal, asked)), results, ...images.take() });
      },
    },
    [PATHS.feed]: {
      method: 'GET',
      kind: 'polls',
      async answer(request, principal) {
        const echo = readEcho(request);
        const { epoch, head, page } = await answerPoll(polls, { principal, store: echo.store, cursor: readCursor(request), part: readPart(request), limit: readLimit(request, limits.pageItems) });
        const writing = sightings.note(principal, echo.store, request.headers[HEADERS.pending]);
        if (writing !== undefined) await writing;
        const answer = answerHead(echo, stamp(epoch, head));
        return page === null ? nothingNewResponse(answer) : messageResponse<FeedAnswer>({ ...answer, ...page });
      },
    },
    [PATHS.snapshot]: {
      method: 'GET',
      kind: 'downloads',
      async answer(request, principal) {
        const echo = await admitted(request, principal);
        const after = request.query.object === undefined && request.query.id === undefined ? null : readKey(request);
        const { epoch, head, page } = await readSnapshot(parts, devices, { principal, store: echo.store, after, limit: readLimit(request, limits.pageItems) });
        return messageResponse<SnapshotAnswer>({ ...answerHead(echo, stamp(epoch, head)), ...page });
      },
    },
    [PATHS.record]: {
      method: 'GET',
      kind: 'downloads',
      async answer(request, principal) {
        const echo = await admitted(request, principal);
        const { epoch, head, page } = await readRecord(parts, devices, { principal, store: echo.store, key: readKey(request) });
        return messageResponse<RecordAnswer>({ ...answerHead(echo, stamp(epoch, head)), ...page });
      },
    },
  };

  if (hints !== null) {
    endpoints[PATHS.hints] = {
      method: 'GET',
      kind: 'hints',
      async answer(request, principal) {
        const echo = readEcho(request);
        await recogniseDevice(polls, principal, echo.store);
        await sightings.note(principal, echo.store, request.headers[HEADERS.pending]);
        return eventStreamResponse(echo, hints.open(principal));
      },
    };
  }

  async function admitted(request: SyncRequest, principal: Principal): Promise<RequestEcho> {
    const echo = readEcho(request);
    await devices.admit(principal, echo.store);
    await sightings.note(principal, echo.store, request.headers[HEADERS.pending]);
    return echo;
  }

  /** Lets in a device whose answer does not begin with a read of its feed. */
  async function letIn(principal: Principal, device: string): Promise<void> {
    await devices.admit(principal, device);
    await sightings.note(principal, device, undefined);
    await store.read(principal.tenant, (view) => devices.open(view, principal, device));
  }

  async function readBody(request: SyncRequest): Promise<Uint8Array> {
    if (mediaType(request) !== CONTENT_TYPE) throw new SyncFault('PROTOCOL_MALFORMED', `a body is ${CONTENT_TYPE}`);
    return request.body(limits.bodyBytes);
  }

  function readKey({ query }: SyncRequest): SnapshotKey {
    const { object = '', id = '' } = query;
    if (!schema.objects.has(object)) throw new SyncFault('PROTOCOL_NOT_FOUND', 'there is no such object');
    if (id.length > 255 || !isStorableId(id)) throw new SyncFault('PROTOCOL_MALFORMED', 'the id is none');
    return { object, id };
  }

  const answer = createPipeline({
    endpoints,
    basePath,
    admission: createAdmission(options.maxConcurrent ?? {}, parts.random),
    identify: createIdentifier(options.authenticate, clock, options.authCache),
    isClosed: () => isClosed,
    log,
  });

  return {
    limits,
    online: createOnlineAccess(parts),
    devices: createDeviceDesk({ store, clock, sightings }),
    support: createSupportDesk(store, () => clock.now()),
    handle: (request) => underWay.run(() => answer(request)),
    async close() {
      isClosed = true;
      hints?.close();
      await underWay.idle();
      await sightings.flushAll();
    },
  };
}

function createParts<S extends Schema>(options: SyncServerOptions<S>, runAside: ServerParts['runAside']): ServerParts {
  const { hookTimeoutMs = 10_000, prepareTimeoutMs = hookTimeoutMs, afterCommitTimeoutMs = hookTimeoutMs } = options;
  const schema = createServerSchema(options.schema);
  const archive = createRowArchive();
  return {
    schema,
    archive,
    core: options.core ?? createTwinCore(),
    store: options.store,
    visibility: createVisibility(schema, archive, options, createFieldAccess(schema, options.fields), { ...serverRules, ...options.rules }),
    // Hooks are typed by the host's schema; in here, records are plain values.
    hooks: new Map(Object.entries(options.objects ?? {}) as unknown as [string, AnyObjectHooks][]),
    hookTimeoutMs,
    prepare: options.prepare ?? null,
    prepareTimeoutMs,
    afterCommit: options.afterCommit ?? null,
    afterCommitTimeoutMs,
    runAside,
    hasStrictReferences: options.strictReferences ?? false,
    limits: { ...DEFAULT_LIMITS, ...options.limits },
    clock: options.clock ?? platformClock,
    random: options.random ?? platformRandom,
    retentionMs: options.retentionMs ?? 7 * DAY_MS,
    rules: { ...serverRules, ...options.rules },
    log: options.log ?? (() => {}),
  };
}

function readCursor({ query }: SyncRequest): ReturnType<typeof parseCursor> {
  if (query.cursor === undefined) return null;
  const cursor = parseCursor(query.cursor);
  if (cursor === null) throw new SyncFault('PROTOCOL_CURSOR_INVALID', 'the cursor is none of ours');
  return cursor;
}

function mediaType({ headers }: SyncRequest): string {
  return (headers['content-type'] ?? '').split(';', 1)[0]!.trim().toLowerCase();
}
