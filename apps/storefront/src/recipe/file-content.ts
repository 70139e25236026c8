import { RECIPE_LIMITS } from '#libs/contracts';

/** The content of a file of a recipe: as text where it is text, else as base64. */
export type FileContent = { readonly content: string } | { readonly content_base64: string };

/** What is no UTF-8, or has NUL characters, is no text. */
export function contentOf(bytes: Uint8Array): FileContent {
  const text = decode(bytes);
  if (text !== undefined && !text.includes('\0')) return { content: text };
  return { content_base64: btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join('')) };
}

/** How large a file of a recipe is, in bytes. */
export function sizeOf(file: { content?: string | undefined; content_base64?: string | undefined }): number {
  if (file.content !== undefined) return new TextEncoder().encode(file.content).byteLength;
  const encoded = file.content_base64 ?? '';
  return Math.floor((encoded.replace(/=+$/, '').length * 3) / 4);
}

/** Why a file cannot be in a recipe; undefined where it can. */
export function whyTooLarge(bytes: number): string | undefined {
  if (bytes <= RECIPE_LIMITS.fileBytes) return undefined;
  return `It may have at most ${RECIPE_LIMITS.fileBytes / 1024} KiB: make it a package, or fetch it in the script.`;
}

function decode(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
