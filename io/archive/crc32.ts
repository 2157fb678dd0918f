/**
 * The checksum of zip entries: CRC-32 with the reflected polynomial 0xEDB88320.
 */

// Row k holds the checksums of one byte followed by k zero bytes: eight bytes are folded at once.
const ROWS = 8;
const TABLE = new Int32Array(256 * ROWS);
for (let byte = 0; byte < 256; byte++) {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  TABLE[byte] = crc;
}
for (let row = 1; row < ROWS; row++) {
  for (let byte = 0; byte < 256; byte++) {
    const before = TABLE[256 * (row - 1) + byte];
    TABLE[256 * row + byte] = (before >>> 8) ^ TABLE[before & 0xff];
  }
}

/**
 * The checksum of bytes.
 *
 * @param bytes The bytes.
 * @param before The checksum of those in front of them.
 * @returns An unsigned 32-bit integer.
 */
export function crc32(bytes: Uint8Array, before = 0): number {
  let crc = ~before;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const whole = bytes.length - bytes.length % 8;
  for (let i = 0; i < whole; i += 8) {
    const low = view.getInt32(i, true) ^ crc;
    const high = view.getInt32(i + 4, true);
    crc = TABLE[1792 + (low & 0xff)] ^ TABLE[1536 + (low >>> 8 & 0xff)] ^
      TABLE[1280 + (low >>> 16 & 0xff)] ^ TABLE[1024 + (low >>> 24)] ^
      TABLE[768 + (high & 0xff)] ^ TABLE[512 + (high >>> 8 & 0xff)] ^
      TABLE[256 + (high >>> 16 & 0xff)] ^ TABLE[high >>> 24];
  }
  for (let i = whole; i < bytes.length; i++) crc = (crc >>> 8) ^ TABLE[(crc ^ bytes[i]) & 0xff];
  return ~crc >>> 0;
}
