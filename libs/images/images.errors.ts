import { DomainError, type ErrorKind } from '#libs/kernel';

const CODES = {
  image_not_found: 'not_found',
  image_not_available: 'conflict',
  /** Nobody has written down which packages it has. */
  image_packages_unknown: 'not_found',
} as const satisfies Record<string, ErrorKind>;

export type ImagesErrorCode = keyof typeof CODES;

export function imagesError(code: ImagesErrorCode, message: string): DomainError {
  return new DomainError(CODES[code], code, message);
}

export function imageNotFound(id: number | string): DomainError {
  return imagesError('image_not_found', `there is no image ${id}`);
}
