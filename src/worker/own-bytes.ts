/** Bytes with a buffer of their own. Cloning a view clones all of the buffer behind it, which may be a whole message or the memory of the core. */
export function ownBytes(bytes: Uint8Array): Uint8Array {
  return bytes.byteLength === bytes.buffer.byteLength ? bytes : bytes.slice();
}
