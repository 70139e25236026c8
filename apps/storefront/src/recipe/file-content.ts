import { fileBytesOf, INSTEAD_OF_FILES, RECIPE_LIMITS } from '#libs/contracts';

/** The content of a file of a recipe: as text where it is text, else as base64. */
export type FileContent = { readonly content: string } | { readonly content_base64: string };

/** What is no UTF-8, or has NUL characters, is no text. */
export function contentOf(bytes: Uint8Array): FileContent {
  const text = decode(bytes);
  if (text !== undefined && !text.includes('\0')) return { content: text };
  return { content_base64: btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join('')) };
}

type File = Parameters<typeof fileBytesOf>[0];

/** Why a file of so many bytes cannot be in a recipe that has others; undefined where it can. */
export function whyTooLarge(bytes: number, others: readonly File[]): string | undefined {
  if (bytes > RECIPE_LIMITS.fileBytes) {
    return `A file of a recipe has at most ${RECIPE_LIMITS.fileBytes / 1024} KiB: ${INSTEAD_OF_FILES}.`;
  }
  const left = RECIPE_LIMITS.filesBytes - bytesOf(others);
  if (bytes <= left) return undefined;
  return `${Math.max(0, Math.floor(left / 1024))} KiB are left of the ${RECIPE_LIMITS.filesBytes / 1024} KiB that all files may have: ${INSTEAD_OF_FILES}.`;
}

/** `12 of 160 KiB`: how much of what all files may have is taken. */
export function sayRoom(files: readonly File[]): string {
  return `${Math.ceil(bytesOf(files) / 1024)} of ${RECIPE_LIMITS.filesBytes / 1024} KiB`;
}

function bytesOf(files: readonly File[]): number {
  return files.reduce((sum, file) => sum + fileBytesOf(file), 0);
}

function decode(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
