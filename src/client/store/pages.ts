/** How many rows of storage are read at once. */
export const PAGE_ROWS = 1_000;

/** Reads page after page, each from the last row of the one before. */
export async function* pages<Row>(read: (last?: Row) => Promise<readonly Row[]>): AsyncGenerator<readonly Row[]> {
  let rows = await read();
  yield rows;
  while (rows.length === PAGE_ROWS) yield (rows = await read(rows.at(-1)));
}
