/**
 * Schemas: what devices and server exchange, as plain data shared by app and backend. Record types are inferred from it.
 *
 * @module fieldtide/schema
 */
export {
  autoNumber,
  boolean,
  created,
  date,
  dateTime,
  decimal,
  integer,
  json,
  lastModified,
  multiPicklist,
  number,
  parent,
  picklist,
  recordId,
  reference,
  serverOwned,
  text,
  type Field,
  type FieldOwner,
  type FieldType,
  type FieldValue,
  type JsonValue,
} from './protocol/field.ts';
export {
  defineSchema,
  type CreateInput,
  type ObjectDefinition,
  type ObjectName,
  type RecordOf,
  type Schema,
  type SchemaDefinition,
  type UpdateInput,
} from './protocol/schema.ts';
export { SyncFault, type FaultCode, type FaultDetails } from './shared/fault.ts';
