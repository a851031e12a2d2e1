import type { FieldValue } from '../protocol/field.ts';
import type { ImageState } from '../protocol/items.ts';
import type { Layout } from '../protocol/layout.ts';
import { decodeRow } from '../protocol/row.ts';
import type { RecordVersion } from '../protocol/version.ts';
import type { FieldAccess, ObjectAccess } from './access/field-access.ts';
import type { Principal } from './principal.ts';
import type { RowArchive } from './row-archive.ts';
import type { ServerRules } from './server-rules.ts';
import type { ServerObject, ServerSchema } from './server-schema.ts';
import { keyText, type RecordKey, type RecordOutline, type StoredRecord, type StoreView } from './store/server-store.ts';

/** A record as a host's function sees it. */
export interface SeenRecord {
  /** The object's name in the schema. */
  readonly object: string;
  /** The record's id at birth (rule C1). */
  readonly id: string;
  /** Every field of the schema; `null` where there is no value. */
  readonly values: Readonly<Record<string, FieldValue>>;
}

/** Says whether a user may see a record. Asked of each record of each answer, so it must be quick; of a deleted one, its last values. */
export type CanSee = (reader: Principal, record: SeenRecord) => boolean;

/**
 * Says whether a record is of what a user's devices download (rule A32), of those that the user may see. Asked of live records, of each
 * that a download might have and of each on a page of the feed, so it must be quick.
 */
export type InScope = (reader: Principal, record: SeenRecord) => boolean;

/** A record as one reader may see it. */
export interface ReaderImage extends RecordKey {
  readonly object: string;
  readonly version: RecordVersion;
  readonly state: ImageState;
  /** The fields that the reader may read (rule A20); one from a receipt may be older than the schema. */
  readonly layout: Layout;
  /** In that layout; `null` unless live. */
  readonly row: Uint8Array | null;
}

/** The same, and whether a download leaves it out. */
export interface ScopedImage extends ReaderImage {
  /** Rule A32. Never of one that is not live. */
  readonly isOutside: boolean;
}

/** A record with its row in the schema's layout; of a deleted one the last it had. */
export interface ReadableRecord extends RecordKey {
  readonly type: ServerObject;
  readonly version: RecordVersion;
  readonly row: Uint8Array;
  readonly isLive: boolean;
}

/** Turns stored records into what a reader may see. */
export interface Visibility {
  isVisible(reader: Principal, object: ServerObject, id: string, row: Uint8Array): boolean;
  /** What a reader may do with the fields of an object. */
  fieldsOf(reader: Principal, object: ServerObject): ObjectAccess;
  image(view: StoreView, reader: Principal, record: StoredRecord): Promise<ReaderImage>;
  /** Its image, and whether a download leaves it out (rule A32). */
  scopedImage(view: StoreView, reader: Principal, record: StoredRecord): Promise<ScopedImage>;
  /** The image of a record whose row is at hand, in the schema's layout. */
  imageOf(reader: Principal, record: ReadableRecord): ReaderImage;
  /** The images of those keys that were ever saved, in the order of the keys. */
  images(view: StoreView, reader: Principal, keys: readonly RecordKey[]): Promise<ReaderImage[]>;
  /** The same, and of each whether a download leaves it out (rule A32). */
  scopedImages(view: StoreView, reader: Principal, keys: readonly RecordKey[]): Promise<ScopedImage[]>;
  /** In which state the reader would see each of these, in their order. Rows are read only where a host's function decides on them. */
  states(view: StoreView, reader: Principal, outlines: readonly RecordOutline[]): Promise<ImageState[]>;
}

const CHUNK = 500;

/** What a host says of who sees what. */
export interface HostVisibility {
  /** @defaultValue a tenant's users see all of its records */
  readonly canSee?: CanSee | undefined;
  /** @defaultValue a user's devices download all that the user may see */
  readonly inScope?: InScope | undefined;
}

/** Makes a {@link Visibility}. */
export function createVisibility(schema: ServerSchema, archive: RowArchive, { canSee, inScope }: HostVisibility, access: FieldAccess, rules: Pick<ServerRules, 'shows'>): Visibility {
  function isVisible(reader: Principal, object: ServerObject, id: string, row: Uint8Array): boolean {
    return canSee === undefined || canSee(reader, { object: object.name, id, values: decodeRow(object.layout, row) });
  }

  function imageOf(reader: Principal, { type, object, id, version, row, isLive }: ReadableRecord): ReaderImage {
    const state = !rules.shows(isVisible(reader, type, id, row)) ? 'hidden' : isLive ? 'live' : 'deleted';
    const fields = access.of(reader, type);
    return { object, id, version, state, layout: fields.layout, row: state === 'live' ? fields.readable(row) : null };
  }

  async function readable(view: StoreView, record: StoredRecord): Promise<ReadableRecord> {
    const { object, id, version, isDeleted } = record;
    const type = schema.objects.get(object)!;
    return { object, id, version, type, row: await archive.read(view, type, record), isLive: !isDeleted };
  }

  async function image(view: StoreView, reader: Principal, record: StoredRecord): Promise<ReaderImage> {
    return imageOf(reader, await readable(view, record));
  }

  async function scopedImage(view: StoreView, reader: Principal, record: StoredRecord): Promise<ScopedImage> {
    const found = await readable(view, record);
    const shown = imageOf(reader, found);
    const { object, id, type, row } = found;
    // The scope is by all values, also those that the reader may not read.
    const isOutside = inScope !== undefined && shown.state === 'live' && !inScope(reader, { object, id, values: decodeRow(type.layout, row) });
    return { ...shown, isOutside };
  }

  async function imagesBy<Shown>(view: StoreView, keys: readonly RecordKey[], show: (record: StoredRecord) => Promise<Shown>): Promise<Shown[]> {
    // Objects that the schema no longer has cannot be sent: nothing describes their rows.
    const records = await view.getRecords(keys.filter(({ object }) => schema.objects.has(object)));
    const found = new Map(records.map((record) => [keyText(record), record]));
    const images: Shown[] = [];
    for (const key of keys) {
      const record = found.get(keyText(key));
      if (record !== undefined) images.push(await show(record));
    }
    return images;
  }

  return {
    isVisible,
    fieldsOf: access.of,
    image,
    imageOf,
    scopedImage,
    images: (view, reader, keys) => imagesBy(view, keys, (record) => image(view, reader, record)),
    scopedImages: (view, reader, keys) => imagesBy(view, keys, (record) => scopedImage(view, reader, record)),
    async states(view, reader, outlines) {
      if (canSee === undefined) return outlines.map(({ isDeleted }) => (isDeleted ? 'deleted' : 'live'));
      const states = new Map<string, ImageState>();
      for (let at = 0; at < outlines.length; at += CHUNK) {
        for (const record of await view.getRecords(outlines.slice(at, at + CHUNK))) states.set(keyText(record), (await image(view, reader, record)).state);
      }
      return outlines.map((outline) => states.get(keyText(outline)) ?? 'hidden');
    },
  };
}
