import { randomBytes } from 'node:crypto';
import type { Command } from 'commander';
import { AccountsService } from '#libs/accounts';
import { email as emailSchema } from '#libs/contracts';
import { withInstallation } from './installation.ts';
import { invalid } from './options.ts';

export function registerOperator(program: Command): void {
  program
    .command('operator')
    .description('who runs this installation')
    .command('add <email>')
    .description('make an operator, or make an account one; its new password is printed, once')
    .option('--name <name>', 'as the audit shows it; what stands before the @ unless told')
    .action(add);
}

async function add(text: string, { name }: { readonly name?: string }): Promise<void> {
  const parsed = emailSchema.safeParse(text);
  if (!parsed.success) throw invalid(`"${text}" must be an e-mail address`);
  const email = parsed.data;
  const password = randomBytes(12).toString('base64url');
  await withInstallation(async ({ dataSource, environment, audit }) => {
    const account = await new AccountsService(dataSource).createOperator({
      email,
      password,
      ...(name === undefined ? {} : { name }),
    });
    await audit('account.make_operator', account.id);
    process.stdout.write(`✔ ${email} signs in at ${environment.SERVERY_URL} with the password ${password}\n`);
  });
}
