import { FIELD_TYPE_CODES, type FieldType } from './field.ts';
import { createLayout, type Layout } from './layout.ts';
import type { WireLayout } from './messages.ts';
import { malformed } from './malformed.ts';

/** Builds the layouts of a message, by index. @throws {@link SyncFault} `PROTOCOL_MALFORMED` */
export function parseLayouts(wire: readonly WireLayout[]): Layout[] {
  return wire.map(([object, fields]) => {
    const named = fields.map(([name, code]) => ({ name, type: FIELD_TYPES_BY_CODE[code] ?? malformed(`type code ${code} of ${object}.${name} is unknown`) }));
    if (new Set(named.map(({ name }) => name)).size !== named.length) malformed(`layout ${object} names a field twice`);
    return createLayout(object, named);
  });
}

/** Writes a layout for a message. */
export function wireLayout(layout: Layout): WireLayout {
  return [layout.object, layout.fields.map(({ name, type }) => [name, FIELD_TYPE_CODES[type]] as const)];
}

const FIELD_TYPES_BY_CODE: Readonly<Record<number, FieldType>> = Object.fromEntries(
  Object.entries(FIELD_TYPE_CODES).map(([type, code]) => [code, type as FieldType]),
);
