import { readField } from '../../protocol/row.ts';
import type { Schema } from '../../protocol/schema.ts';
import { splitKey, type Key } from './record-key.ts';
import type { HeldImage } from './rows.ts';

/** Whether records of an object have a Record ID of the server. */
export function hasRecordId({ objects }: Schema, object: string): boolean {
  return Object.values(objects[object]?.fields ?? {}).some(({ owner }) => owner === 'record-id');
}

/** The server's Record ID in an image (rule C1); `null` where it has none, or none but the id at birth. */
export function findRecordId({ objects }: Schema, key: Key, image: Pick<HeldImage, 'layout' | 'row'>): string | null {
  const { object, id } = splitKey(key);
  const field = Object.entries(objects[object]?.fields ?? {}).find(([, { owner }]) => owner === 'record-id')?.[0];
  const recordId = field === undefined ? null : readField(image.layout, image.row, field);
  return typeof recordId === 'string' && recordId !== id ? recordId : null;
}
