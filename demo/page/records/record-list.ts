import type { ObjectName } from '../../schema.ts';
import { FACES } from '../crm/object-face.ts';
import type { RecordSource, ShownRecord } from './record-source.ts';

const PAGE = 40;

/** The live list of one panel: an object, a search, and as many rows as were asked for. */
export interface RecordList {
  readonly object: ObjectName;
  readonly search: string;
  /** `null` until the first answer. */
  readonly rows: readonly ShownRecord[] | null;
  readonly hasMore: boolean;
  /** The row that the arrow keys stand on. */
  activeId: string | null;
  show(object: ObjectName, search?: string): void;
  showMore(): void;
}

export function createRecordList(source: RecordSource, onChange: () => void): RecordList {
  let object: ObjectName = 'account';
  let search = '';
  let limit = PAGE;
  let found: readonly ShownRecord[] | null = null;
  let stop = (): void => {};

  function watch(): void {
    stop();
    const { searchField, orderBy } = FACES[object];
    const where = search.trim() === '' ? {} : { [searchField]: { contains: search.trim() } };
    // One more than is shown tells whether there is more.
    stop = source.watchQuery({ object, where, orderBy, limit: limit + 1 }, (records) => {
      found = records;
      onChange();
    });
  }

  const list: RecordList = {
    get object() {
      return object;
    },
    get search() {
      return search;
    },
    get rows() {
      return found?.slice(0, limit) ?? null;
    },
    get hasMore() {
      return (found?.length ?? 0) > limit;
    },
    activeId: null,
    show(nextObject, nextSearch = '') {
      if (nextObject !== object) found = null;
      [object, search, limit] = [nextObject, nextSearch, PAGE];
      list.activeId = null;
      watch();
      onChange();
    },
    showMore() {
      limit += PAGE;
      watch();
    },
  };
  watch();
  return list;
}
