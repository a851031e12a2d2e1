import type { FieldOwner } from '../../protocol/field.ts';
import { encodeValue, joinRow, NO_VALUE, splitRow } from '../../protocol/row.ts';
import type { SaveInProgress } from './save-members.ts';
import type { WorkingRecord } from './working-set.ts';

const NUMBER_DIGITS = 6;

/** Sets the fields that the server itself gives (rule A27): Record ID, auto-number and time of creation at the create, last modified always. */
export async function stampRow(save: SaveInProgress, { type, row }: WorkingRecord, isCreate: boolean): Promise<Uint8Array> {
  const values = splitRow(row!);
  for (const [position, { owner, prefix = '' }] of type.fields.entries()) {
    const { name, type: fieldType } = type.layout.fields[position]!;
    // A record that comes back after a delete has its Record ID, number and creation time already.
    const isMissing = values[position]!.length === 1 && values[position]![0] === NO_VALUE[0];
    if (owner === 'last-modified' || (isCreate && isMissing && GIVEN_AT_CREATE.has(owner))) {
      values[position] = encodeValue(fieldType, await given(save, owner, type.name, name, prefix), `${type.name}.${name}`);
    }
  }
  return joinRow(values);
}

const GIVEN_AT_CREATE: ReadonlySet<FieldOwner> = new Set(['record-id', 'auto-number', 'created']);

async function given(save: SaveInProgress, owner: FieldOwner, object: string, field: string, prefix: string): Promise<string> {
  switch (owner) {
    case 'record-id': return save.createRecordId();
    case 'auto-number': return prefix + String(await save.transaction.nextNumber(object, field)).padStart(NUMBER_DIGITS, '0');
    default: return new Date(save.hooks.base.now).toISOString();
  }
}
