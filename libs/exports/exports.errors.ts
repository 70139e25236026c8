import { DomainError, type ErrorKind } from '#libs/kernel';

export type ExportsErrorCode = 'export_not_found' | 'export_link_expired';

const kinds: Readonly<Record<ExportsErrorCode, ErrorKind>> = {
  export_not_found: 'not_found',
  export_link_expired: 'forbidden',
};

export function exportsError(code: ExportsErrorCode, message: string): DomainError {
  return new DomainError(kinds[code], code, message);
}
