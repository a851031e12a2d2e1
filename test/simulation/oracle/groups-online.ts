import { groupHeaderOf, groupObjectsOf, groupParentOf } from '../../../src/protocol/groups.ts';
import { schema, type Values } from '../crm.ts';
import type { OnlineHistory } from './online-history.ts';

/** Who led what online, at any moment. */
export class GroupsOnline {
  readonly #history: OnlineHistory;

  constructor(history: OnlineHistory) {
    this.#history = history;
  }

  /** The live records of a group at a moment, its header included. */
  membersAt(header: string, moment: number): string[] {
    const valuesAt = (key: string): Values | null => {
      const online = this.#history.asOf(key, moment);
      return online === null || online.isDeleted ? null : online.values;
    };
    return this.#candidates(header).filter((key) => valuesAt(key) !== null && climb(key, valuesAt) === header);
  }

  /** The moments from one on and before another at which any record of the kinds in a group changed; the first of them included. */
  momentsOf(header: string, from: number, until: number): number[] {
    const moments = new Set([from]);
    for (const key of this.#candidates(header)) for (const { moment } of this.#history.versions(key)) if (moment > from && moment < until) moments.add(moment);
    return [...moments].sort((left, right) => left - right);
  }

  /** Every record that ever led a record's group. */
  everLedBy(key: string): string[] {
    const parent = groupParentOf(schema, objectOf(key));
    if (parent === null) return groupHeaderOf(schema, objectOf(key)) === null ? [] : [key];
    const leaders = this.#history.versions(key).flatMap(({ values }) => (typeof values[parent.field] === 'string' ? this.everLedBy(`${parent.target}/${String(values[parent.field])}`) : [key]));
    return [...new Set(leaders)];
  }

  /** A record and every record that it ever hung on: where one on the way is gone, the last of them leads what is left. */
  everAbove(key: string): string[] {
    const parent = groupParentOf(schema, objectOf(key));
    if (parent === null) return groupHeaderOf(schema, objectOf(key)) === null ? [] : [key];
    const above = new Set(this.#history.versions(key).flatMap(({ values }) => (typeof values[parent.field] === 'string' ? [`${parent.target}/${String(values[parent.field])}`] : [])));
    return [...new Set([key, ...[...above].flatMap((one) => this.everAbove(one))])];
  }

  #candidates(header: string): string[] {
    const objects = new Set<string>(groupObjectsOf(schema, objectOf(header)));
    return [...this.#history.keys()].filter((key) => objects.has(objectOf(key)));
  }
}

/** Who leads a record's group: the last one on the way up, whether it hangs on nothing or is not there; `null` outside groups. */
export function climb(key: string, valuesAt: (key: string) => Values | null): string | null {
  const object = objectOf(key);
  const parent = groupParentOf(schema, object);
  if (parent === null) return groupHeaderOf(schema, object) === null ? null : key;
  const above = valuesAt(key)?.[parent.field];
  return typeof above === 'string' ? climb(`${parent.target}/${above}`, valuesAt) : key;
}

function objectOf(key: string): string {
  return key.slice(0, key.indexOf('/'));
}
