import { Injectable } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import { Strategy } from 'passport-local';
import { type Account, AccountsService } from '#libs/accounts';

@Injectable()
export class PasswordStrategy extends PassportStrategy(Strategy, 'password') {
  constructor(private readonly accounts: AccountsService) {
    super({ usernameField: 'email', passwordField: 'password', session: false });
  }

  /** @throws AccountsError `wrong_credentials` */
  validate(email: string, password: string): Promise<Account> {
    return this.accounts.authenticate(email, password);
  }
}
