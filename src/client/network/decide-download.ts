import { decodeEnvelope, encodeEnvelope } from '../../protocol/envelope.ts';
import type { EngineContext } from '../engine-context.ts';
import type { Key } from '../store/record-key.ts';
import type { HeldImage } from '../store/rows.ts';
import { Step } from '../store/step.ts';
import { STATE } from '../store/stored.ts';
import { findProtected, type ProtectedGroups } from './protected-groups.ts';
import { readImages, type AnswerImages } from './server-link.ts';
import { readStaged, type StagedPage } from './staged-pages.ts';

/** What is decided of a download before its first page is applied: all that hangs on more than one page. */
export interface Decided extends ProtectedGroups {
  /** Records that the server was asked about, and those that it told of then: a page that lacks them does not say that they are gone. */
  readonly asked: ReadonlySet<Key>;
  /** Parked groups that go on waiting: of one with something that came out of scope the rest may still have to come. */
  readonly waiting: ReadonlySet<Key>;
  /** Records whose mark of being out of scope goes (rule A32). */
  readonly unmarked: readonly Key[];
}

/**
 * Decides what becomes of a download, all pages of which are staged, and writes that down: from then on it is applied, whatever happens.
 * A record that is not on them is gone, unless the device heard of it otherwise since the download began: then only the server can tell
 * which of the two is newer.
 *
 * @param asked - records that the server was asked about; what it said of them is staged
 * @returns the records that it is to be asked about first; nothing is written then
 */
export async function decideDownload(context: EngineContext, asked: ReadonlySet<Key>): Promise<readonly Key[]> {
  const { store } = context;
  const download = store.meta.download!;
  const groups = await findProtected(context, () => stagedImages(context));
  const doubtful = new Set(groups.headers.keys());
  for await (const { key } of store.scanState(STATE.fresh)) doubtful.add(key.slice(STATE.fresh.length));
  const told = new Set(asked), here = new Set<Key>();
  if (doubtful.size + asked.size + store.outside.size > 0) {
    for await (const { ranges, keys } of stagedKeys(context)) {
      for (const key of keys) {
        if (ranges.length === 0) told.add(key);
        if (doubtful.has(key) || store.outside.has(key)) here.add(key);
      }
    }
  }
  const isDownloaded = (key: Key): boolean => here.has(key) || told.has(key);
  const unclear = await findUnclear(context, [...doubtful].filter((key) => !isDownloaded(key) && !store.outside.has(key)));
  if (unclear.length > 0) return unclear;
  const stays = (key: Key): boolean => !isDownloaded(key) && staysOutside(context, groups, key, download.serverTime);
  const waiting = [...store.parked].flatMap(([name, { members }]) => ([...members.keys()].some((key) => !groups.headers.has(key) && store.side(key) !== null && stays(key)) ? [name] : []));
  const unmarked = [...store.outside.keys()].filter((key) => !isDownloaded(key) && !stays(key));
  const step = new Step();
  step.putState.push({ key: STATE.decided, bytes: encodeDecided({ ...groups, asked: told, waiting: new Set(waiting), unmarked }) });
  step.meta = { download: { ...download, applying: { place: 0, removed: 0 } } };
  step.isUntold = true;
  await store.commit(step, 'strict');
  return [];
}

/** Rule A32: what came out of scope stays for a time, and as long as something waits, was refused or is open of it or its group. */
export function staysOutside({ store, outOfScopeGraceMs }: EngineContext, { headers }: ProtectedGroups, key: Key, now: number): boolean {
  const since = store.outside.get(key);
  return since !== undefined && (headers.has(key) || now - since < outOfScopeGraceMs);
}

/** Of records that are on no page, those that are here. */
async function findUnclear({ store }: EngineContext, keys: readonly Key[]): Promise<Key[]> {
  const bases = await store.readBases(keys);
  return keys.filter((key) => bases.get(key)?.state === 'live' || store.side(key)?.state === 'live');
}

async function* stagedKeys({ store, core }: EngineContext): AsyncGenerator<AnswerImages & Pick<StagedPage, 'ranges'>> {
  for (let place = 0; place < store.meta.download!.pages; place++) {
    const page = (await readStaged(store, place))!;
    yield { ...readImages(core, page), ranges: page.ranges };
  }
}

async function* stagedImages(context: EngineContext): AsyncGenerator<(readonly [Key, HeldImage])[]> {
  for await (const { keys, image } of stagedKeys(context)) yield keys.map((key, index) => [key, image(index)] as const);
}

/** Maps are no values of an envelope. */
function encodeDecided({ headers, flags, asked, waiting, unmarked }: Decided): Uint8Array {
  return encodeEnvelope({ headers: [...headers], flags: [...flags], asked: [...asked], waiting: [...waiting], unmarked });
}

/** Reads what {@link decideDownload} has written down. */
export async function readDecided({ store }: EngineContext): Promise<Decided> {
  const { headers, flags, asked, waiting, unmarked } = decodeEnvelope((await store.readState(STATE.decided))!) as Record<'asked' | 'waiting' | 'unmarked', readonly Key[]> & { readonly headers: readonly (readonly [Key, Key])[]; readonly flags: readonly (readonly [Key, number])[] };
  return { headers: new Map(headers), flags: new Map(flags), asked: new Set(asked), waiting: new Set(waiting), unmarked };
}
