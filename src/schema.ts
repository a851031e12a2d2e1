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
  type DateTimeField,
  type DeviceField,
  type Field,
  type FieldOwner,
  type FieldType,
  type FieldValue,
  type JsonValue,
  type Requirable,
} from './protocol/field.ts';
export {
  defineSchema,
  type CreateInput,
  type InputOf,
  type ObjectDefinition,
  type ObjectName,
  type RecordOf,
  type Schema,
  type SchemaDefinition,
  type SubmittedDefinition,
  type UpdateInput,
  type ValueOf,
} from './protocol/schema.ts';
export {
  CALL_COPIES,
  specialGroups,
  type CallNames,
  type SpecialGroup,
  type SpecialGroupNames,
  type SpecialGroups,
  type SpecialGroupsOptions,
} from './protocol/special-groups.ts';
export { SyncFault, type FaultCode, type FaultDetails } from './shared/fault.ts';
