import { autoNumber, decimal, defineSchema, integer, parent, recordId, serverOwned, type FieldValue, type Schema } from '../../src/schema.ts';
import type { SyncServerOptions } from '../../src/server/index.ts';
import { allRecords, type AllRecords } from '../support/all-records.ts';
import { groupBy, SchemaFromData, valuesOf, type DataEdit, type DataRecord } from '../support/real-data.ts';

/** The sample's totals as others publish them, in ten-thousandths of a dollar: 1,265,793.0395 with discounts, 1,354,458.59 without. */
export const KNOWN_TOTALS = { lines: 12_657_930_395, orders: 12_657_930_395, customers: 12_657_930_395, gross: 13_544_585_900 };

/** Orders with lines as groups, closed when they have shipped; numbers and totals are the server's. */
export function orderBookSchema(records: readonly DataRecord[]): Schema {
  const collected = new SchemaFromData();
  for (const { object, master, fields } of records) collected.add(object, master, Object.entries(fields));
  const { customer, order, orderLine, ...others } = collected.objects('group');
  const money = { gross: serverOwned(decimal()), net: serverOwned(decimal()) };
  return defineSchema({
    version: 1,
    objects: {
      ...others,
      customer: { fields: { ...customer!.fields, orders: serverOwned(integer()), net: serverOwned(decimal()) } },
      order: {
        submitted: { field: 'Status', values: ['Shipped'] },
        fields: { ...order!.fields, CustomerID: parent('customer'), number: autoNumber({ prefix: 'N-' }), serverId: recordId(), lines: serverOwned(integer()), ...money },
      },
      orderLine: { fields: { ...orderLine!.fields, UnitPrice: decimal(), Discount: decimal(), ...money } },
    },
  });
}

/** A record's values as the order book holds them: prices and discounts as exact decimals. */
export function orderBookValues(record: Pick<DataRecord, 'object' | 'fields' | 'master'>): Record<string, FieldValue> {
  const values = valuesOf(record);
  if (record.object === 'orderLine') for (const field of ['UnitPrice', 'Discount']) if (typeof values[field] === 'number') values[field] = String(values[field]);
  return values;
}

/** Line totals as formulas; order and customer totals as roll-ups. */
export const orderBookFormulas: NonNullable<SyncServerOptions['objects']> = {
  orderLine: {
    formulas({ record }) {
      const gross = fixed(record.UnitPrice, 2) * BigInt(Number(record.Quantity));
      return { gross: decimalText(gross, 2), net: decimalText(gross * (100n - fixed(record.Discount, 2)), 4) };
    },
  },
  order: {
    formulas({ children: { orderLine = [] } }) {
      return { lines: orderLine.length, gross: decimalText(sumOf(orderLine.map(({ gross }) => gross)), 4), net: decimalText(sumOf(orderLine.map(({ net }) => net)), 4) };
    },
  },
  customer: { formulas: ({ children: { order = [] } }) => ({ orders: order.length, net: decimalText(sumOf(order.map(({ net }) => net)), 4) }) },
};

/**
 * What must be there at the end, computed from the data alone: the last snapshot, orders numbered in the order of the log, and totals in
 * whole ten-thousandths.
 */
export function expectedOrderBook(schema: Schema, last: readonly DataRecord[], edits: readonly DataEdit[]): AllRecords {
  const numbers = new Map(edits.filter(({ object, op }) => object === 'order' && op === 'create').map(({ id }, index) => [id, `N-${String(index + 1).padStart(6, '0')}`]));
  const lines = groupBy(last.filter(({ object }) => object === 'orderLine'), ({ master }) => String(master).slice('order/'.length));
  const orders = groupBy(last.filter(({ object }) => object === 'order'), ({ fields }) => String(fields.CustomerID));
  const moneyOf = (members: readonly DataRecord[]) => {
    const cents = (record: DataRecord): number => Math.round(Number(record.fields.UnitPrice) * 100) * Number(record.fields.Quantity);
    const gross = members.reduce((sum, line) => sum + cents(line), 0);
    const net = members.reduce((sum, line) => sum + cents(line) * (100 - Math.round(Number(line.fields.Discount) * 100)), 0);
    return { gross: (gross / 100).toFixed(2), net: (net / 10_000).toFixed(4) };
  };
  const ownedBy: Readonly<Record<string, (record: DataRecord) => Record<string, FieldValue>>> = {
    orderLine: (record) => moneyOf([record]),
    order: ({ id }) => ({ ...moneyOf(lines.get(id)!), lines: lines.get(id)!.length, number: numbers.get(id)! }),
    customer({ id }) {
      const own = orders.get(id) ?? [];
      return { orders: own.length, net: moneyOf(own.flatMap((order) => lines.get(order.id)!)).net };
    },
  };
  return withoutRecordIds(allRecords(schema, last.map((record) => ({ object: record.object, id: record.id, values: { ...orderBookValues(record), ...ownedBy[record.object]?.(record) } }))));
}

/** Nobody knows beforehand which Record ID the server gives: all there is to say is that each order has its own. */
export function withoutRecordIds(records: AllRecords): AllRecords {
  return new Map([...records].map(([key, values]) => [key, Object.fromEntries(Object.entries(values).filter(([name]) => name !== 'serverId'))]));
}

/** A decimal in units of its last digit. */
function fixed(value: FieldValue | undefined, digits: number): bigint {
  const [whole = '0', fraction = ''] = String(value ?? '0').split('.');
  return BigInt(whole + fraction.padEnd(digits, '0'));
}

function sumOf(values: readonly (FieldValue | undefined)[]): bigint {
  return values.reduce((sum: bigint, value) => sum + fixed(value, 4), 0n);
}

function decimalText(units: bigint, digits: number): string {
  const text = String(units).padStart(digits + 1, '0');
  return `${text.slice(0, -digits)}.${text.slice(-digits)}`;
}
