const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
/** Behind the signature, and the length and type of the first chunk, which is IHDR. */
const WIDTH_AT = 16;
const HEIGHT_AT = 20;

/** In pixels, by its header (PNG, 11.2.2); undefined where `bytes` are no PNG. */
export function sizeOfPng(bytes: Buffer): { widthPx: number; heightPx: number } | undefined {
  const isPng = bytes.length > HEIGHT_AT + 4 && bytes.subarray(0, SIGNATURE.length).equals(SIGNATURE);
  if (!isPng || bytes.toString('latin1', 12, WIDTH_AT) !== 'IHDR') return undefined;
  const [widthPx, heightPx] = [bytes.readUInt32BE(WIDTH_AT), bytes.readUInt32BE(HEIGHT_AT)];
  return widthPx > 0 && heightPx > 0 ? { widthPx, heightPx } : undefined;
}
