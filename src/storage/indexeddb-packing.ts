// The part of IndexedDB storage that a start does not need: packed reads, and the folding of rows into blocks.
export { foldObject, noteWritten, writeRecords } from './indexeddb-fold.ts';
export { readAround, scanBlocks } from './indexeddb-packed.ts';
