import 'reflect-metadata';
import { Command } from 'commander';
import { DomainError } from '#libs/kernel';
import { registerAccount } from './account.command.ts';
import { registerAddress } from './address.command.ts';
import { registerAudit } from './audit.command.ts';
import { registerBilling } from './billing.command.ts';
import { registerBooks } from './books.command.ts';
import { registerClock } from './clock.command.ts';
import { registerDoctor } from './doctor.command.ts';
import { registerDown } from './down.command.ts';
import { registerHost } from './host.command.ts';
import { registerImage } from './image.command.ts';
import { registerIso } from './iso.command.ts';
import { registerLocation } from './location.command.ts';
import { registerMail } from './mail.command.ts';
import { registerMigrate } from './migrate.command.ts';
import { registerOperator } from './operator.command.ts';
import { registerPrice } from './price.command.ts';
import { registerPromotion } from './promotion.command.ts';
import { registerSaga } from './saga.command.ts';
import { registerSecrets } from './secrets.command.ts';
import { registerUp } from './up.command.ts';

const program = new Command('servery')
  .description("Servery's command for operators")
  .showHelpAfterError('(servery --help says more)');

for (const register of [
  registerUp,
  registerDown,
  registerDoctor,
  registerMigrate,
  registerOperator,
  registerLocation,
  registerAddress,
  registerHost,
  registerImage,
  registerIso,
  registerPrice,
  registerBilling,
  registerBooks,
  registerClock,
  registerPromotion,
  registerAccount,
  registerMail,
  registerSaga,
  registerSecrets,
  registerAudit,
])
  register(program);

try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`✖ ${explain(error)}\n`);
  process.exitCode = 1;
}

/** An expected refusal speaks for itself; anything else is a defect of ours and shows where it happened. */
function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const expected = error instanceof DomainError || error.cause instanceof DomainError;
  const fields = error instanceof DomainError ? error.fields : [];
  const details = fields.map((field) => `\n  ${field.name}: ${field.messages.join('; ')}`).join('');
  return expected
    ? `${error.message}${details}`
    : `${error.message}\n${(error.cause as Error | undefined)?.stack ?? error.stack}`;
}
