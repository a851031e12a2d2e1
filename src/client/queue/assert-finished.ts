import type { Layout } from '../../protocol/layout.ts';
import { NO_VALUE, splitRow } from '../../protocol/row.ts';
import type { Schema } from '../../protocol/schema.ts';
import { bytesEqual } from '../../shared/bytes.ts';
import { encodeField } from './save.ts';

/**
 * Checks that a row has what a save needs; where there was one before, of the fields that differ from it.
 *
 * @throws {@link SyncFault} `FIELD_REQUIRED`
 */
export function assertFinished(schema: Schema, layout: Layout, row: Uint8Array, before: Uint8Array | null = null): void {
  const { fields } = schema.objects[layout.object]!;
  const old = before && splitRow(before);
  splitRow(row).forEach((value, position) => {
    const { name } = layout.fields[position]!;
    const isOld = old !== null && bytesEqual(value, old[position]!);
    if (!isOld && fields[name]!.owner === 'device' && bytesEqual(value, NO_VALUE)) encodeField(layout, name, fields[name]!, null);
  });
}
