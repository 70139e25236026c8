import { DomainError } from '#libs/kernel';

export type ListingErrorCode = 'invalid_label_selector' | 'invalid_sort' | 'invalid_filter';

export class ListingError extends DomainError {
  constructor(code: ListingErrorCode, message: string, field: string) {
    super('invalid_input', code, message, { fields: [{ name: field, messages: [message] }] });
  }
}
