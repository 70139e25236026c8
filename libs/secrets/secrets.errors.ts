import { DomainError } from '#libs/kernel';

export type SecretsErrorCode = 'bad_secret_key' | 'foreign_secret_key' | 'unreadable_secret';

export class SecretsError extends DomainError {
  constructor(code: SecretsErrorCode, message: string) {
    super('internal', code, message);
  }
}
